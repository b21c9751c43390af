import Experiments

/// No data files.
public struct NoData: DataSource {
  public init() {}
  public func table(_ request: TableRequest) throws -> DataTable { throw Failure(.bug, "no data") }
  public func samples(_ request: SampleRequest) throws -> SampleTable { throw Failure(.bug, "no data") }
  public func graph(_ request: GraphRequest) throws -> EdgeList { throw Failure(.bug, "no data") }
}

/// What is wrong with the refusal of bad input, in a sentence; nil if it is refused with the exit code of bad data and says all of the words.
public func complaint(_ input: String, says words: [String], status: ExitStatus = .badData, _ read: () throws -> Void)
  -> String?
{
  do {
    try read()
    return "\(input) was taken"
  } catch let failure as Failure {
    guard failure.status == status else { return "\(input) ends with \(failure.status): \(failure.message)" }
    let missing = words.filter { !failure.message.contains($0) }
    return missing.isEmpty ? nil : "\(input) should say \(missing): \(failure.message)"
  } catch {
    return "\(input): \(error)"
  }
}
