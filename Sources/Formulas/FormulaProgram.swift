import Kernels

/// Formulas compiled for evaluation at many points: loops over blocks of 256 numbers that stay in the first cache, parts that several
/// formulas have in common computed once.
///
/// Immutable, so that threads can share it. A value has the same bits on every CPU and wherever its point stands in the buffer; only
/// the sign and payload of a NaN are unspecified.
public struct FormulaProgram: Sendable {
  /// How many buffers each takes.
  public let variables: Int
  public let results: Int
  let steps: [Instruction]
  let registers: Int
  private let needsRoom: Bool

  /// Numbers of a block: a single loop needs no blocks, and a few registers of 512 fit into the first cache.
  private var block: Int { steps.count == 1 ? Int.max : (registers <= Self.fewRegisters ? 512 : 256) }
  private static let fewRegisters = 4

  /// - Parameter formulas: at least one, all with the same variables; usually a function and its derivatives.
  public init(_ formulas: [Formula]) {
    precondition(!formulas.isEmpty, "a program without a formula")
    precondition(formulas.allSatisfy { $0.variables == formulas[0].variables }, "formulas of different variables")
    variables = formulas[0].variables.count
    results = formulas.count
    var compiler = Compiler(formulas)
    (steps, registers) = compiler.compiled()
    needsRoom = steps.contains(where: \.needsRoom)
  }

  public init(_ formula: Formula) { self.init([formula]) }

  /// Evaluates all formulas at `count` points.
  /// - Parameters:
  ///   - inputs: a buffer for each variable.
  ///   - outputs: a buffer for each formula. One may be the same as an input; otherwise none overlap.
  public func evaluate(
    _ inputs: [UnsafePointer<Double>], _ outputs: [UnsafeMutablePointer<Double>], count: Int
  ) {
    precondition(inputs.count == variables && outputs.count == results)
    run(count) { slots, start in
      for k in 0..<inputs.count { slots[k] = UnsafeMutablePointer(mutating: inputs[k] + start) }
      for k in 0..<outputs.count { slots[inputs.count + k] = outputs[k] + start }
    }
  }

  /// The same for buffers that stand in rows: variable k is read at `inputs + k stride`, formula k is written to `outputs + k stride`.
  public func evaluate(
    rows inputs: UnsafePointer<Double>, stride: Int, to outputs: UnsafeMutablePointer<Double>, stride outStride: Int,
    count: Int
  ) {
    run(count) { slots, start in
      for k in 0..<variables { slots[k] = UnsafeMutablePointer(mutating: inputs + k * stride + start) }
      for k in 0..<results { slots[variables + k] = outputs + k * outStride + start }
    }
  }

  /// Replaces x by f(x), for one formula in one variable.
  public func apply(_ values: UnsafeMutablePointer<Double>, _ count: Int) {
    precondition(variables == 1 && results == 1)
    run(count) { slots, start in
      slots[0] = values + start
      slots[1] = values + start
    }
  }

  /// Replaces x by the value of the first of two formulas in one variable, and writes that of the second to `slopes`.
  public func apply(
    _ values: UnsafeMutablePointer<Double>, slopes: UnsafeMutablePointer<Double>, _ count: Int
  ) {
    precondition(variables == 1 && results == 2)
    run(count) { slots, start in
      slots[0] = values + start
      slots[1] = values + start
      slots[2] = slopes + start
    }
  }

  /// The values of all formulas at many points.
  /// - Parameter columns: for each variable its values, all of one length.
  /// - Returns: for each formula its values.
  public func callAsFunction(_ columns: [[Double]]) -> [[Double]] {
    let count = columns.first?.count ?? 1
    precondition(columns.count == variables && columns.allSatisfy { $0.count == count })
    let room = UnsafeMutablePointer<Double>.allocateAligned(capacity: (variables + results) * count)
    defer { room.deallocate() }
    for (k, column) in columns.enumerated() { (room + k * count).initialize(from: column, count: count) }
    let outputs = room + variables * count
    evaluate(rows: room, stride: count, to: outputs, stride: count, count: count)
    return (0..<results).map { Array(UnsafeBufferPointer(start: outputs + $0 * count, count: count)) }
  }

  /// The values of all formulas at one point. Slow: evaluate many points together where there are many.
  public func callAsFunction(_ point: [Double]) -> [Double] {
    precondition(point.count == variables)
    var (point, values) = (point, [Double](repeating: 0, count: results))
    point.withUnsafeMutableBufferPointer { point in
      values.withUnsafeMutableBufferPointer { values in
        run(1) { slots, _ in
          for k in 0..<variables { slots[k] = point.baseAddress! + k }
          for k in 0..<results { slots[variables + k] = values.baseAddress! + k }
        }
      }
    }
    return values
  }

  /// The value of a formula in one variable.
  public func callAsFunction(_ x: Double) -> Double {
    precondition(results == 1)
    var value = x
    apply(&value, 1)
    return value
  }

  /// - Parameter place: sets the slots of the inputs and then of the outputs for a block that starts there.
  @inline(__always)
  private func run(_ count: Int, _ place: (UnsafeMutablePointer<Block.Register>, _ start: Int) -> Void) {
    guard count > 0 else { return }
    // Registers begin at borders of cache lines.
    let block = min((count + 7) & ~7, block)
    let lookups = needsRoom ? 3 * min(block, GaussianIntegral.block) : 0
    let ends = variables + results
    withUnsafeTemporaryAllocation(of: Block.Register.self, capacity: ends + registers) { slots in
      let slots = slots.baseAddress!
      withAlignedRoom(max(registers * block + lookups, 1)) { room in
        for k in 0..<registers { slots[ends + k] = room + k * block }
        steps.withUnsafeBufferPointer { steps in
          var start = 0
          while start < count {
            place(slots, start)
            let size = min(block, count - start)
            for step in steps { Block.run(step, slots, size, room: room + registers * block) }
            start += size
          }
        }
      }
    }
  }
}

extension FormulaProgram: CustomStringConvertible {
  /// One line a loop, for tests and curious readers.
  public var description: String {
    steps.map { "\($0.code) \($0.out) <- \($0.operands)" }.joined(separator: "; ")
  }
}
