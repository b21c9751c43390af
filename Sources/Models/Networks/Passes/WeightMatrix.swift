import Kernels
import Randomness

/// A weight matrix W of which a network asks products only: $W v$ and $W^\top v$. Vectors are padded with zeros to full lanes.
package protocol WeightMatrix: AnyObject {
  var rows: Int { get }
  var columns: Int { get }
  /// A new matrix: whatever was answered is forgotten.
  func renew(_ stream: inout Stream)
  /// $y = W v$.
  func multiply(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream)
  /// $y = W^\top v$.
  func multiplyTransposed(_ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream)
}

/// Law of the entries of a weight matrix.
package enum WeightLaw: String, CaseIterable, Sendable {
  /// Independent standard normals.
  case gaussian
  /// $\sqrt n$ times uniform (Haar) on the orthogonal group of dimension n.
  case orthogonal
  /// Independent, uniform on $[-\sqrt 3, \sqrt 3]$.
  case uniform
  /// Independent, 1 or -1.
  case signs

  /// Whether $W$ and $W O$ have the same law for every rotation O, so that answers tell all that matters.
  package var isInvariant: Bool { self == .gaussian || self == .orthogonal }

  /// Excess kurtosis of an entry; 0 of an orthogonal matrix, whose dependence is counted apart.
  package var excessKurtosis: Double {
    switch self {
    case .gaussian, .orthogonal: 0
    case .uniform: -1.2
    case .signs: -2
    }
  }

  /// Sixth moment of an entry.
  package var sixthMoment: Double {
    switch self {
    case .gaussian, .orthogonal: 15
    case .uniform: 27.0 / 7
    case .signs: 1
    }
  }

  /// `count` independent entries of this law; of the orthogonal one normals, to be made orthonormal.
  package func fill(_ row: UnsafeMutablePointer<Double>, _ count: Int, _ stream: inout Stream) {
    switch self {
    case .gaussian, .orthogonal:
      var done = 0
      while done < count {
        let part = min(Stream.capacity, count &- done)
        (row + done).update(from: stream.normals(part), count: part)
        done &+= part
      }
    case .uniform:
      let reach = 3.0.squareRoot()
      for i in 0..<count { row[i] = reach * (2 * stream.uniform() - 1) }
    case .signs:
      for start in stride(from: 0, to: count, by: 64) {
        let word = stream.word()
        for i in start..<min(start &+ 64, count) { row[i] = (word &>> UInt64(i &- start)) & 1 == 0 ? 1 : -1 }
      }
    }
  }
}

/// Every entry drawn and kept.
package final class ExplicitMatrix: WeightMatrix {
  package let rows, columns: Int
  let law: WeightLaw
  /// A row of W in each column.
  package let entries: Columns
  private let factor: UnsafeMutablePointer<Double>

  /// - Precondition: `rows == columns` for orthogonal ones.
  package init(_ law: WeightLaw, rows: Int, columns: Int) {
    precondition(law != .orthogonal || rows == columns)
    (self.law, self.rows, self.columns) = (law, rows, columns)
    entries = Columns(rows, rows: columns)
    factor = .allocate(capacity: law == .orthogonal ? rows * rows : 1)
  }

  deinit { factor.deallocate() }

  package func renew(_ stream: inout Stream) {
    for i in 0..<rows { law.fill(entries[i], columns, &stream) }
    guard law == .orthogonal else { return }
    Triangular.orthonormalise(columns: entries.data, stride: entries.stride, m: rows, into: factor)
    let root = Double(rows).squareRoot()
    for i in 0..<rows &* entries.stride { entries.data[i] *= root }
  }

  package func multiply(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    for i in 0..<rows { y[i] = Triangular.dot(entries[i], v, entries.stride) }
    for i in rows..<Triangular.padded(rows) { y[i] = 0 }
  }

  package func multiplyTransposed(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    for j in 0..<entries.stride { y[j] = 0 }
    for i in 0..<rows {
      let (x, row) = (v[i], entries[i])
      for j in 0..<columns { y[j] = y[j].addingProduct(x, row[j]) }
    }
  }
}

/// A matrix that is known by its answers only, drawn as far as they need it: exact in law for any sequence of questions, each of which may
/// depend on all answers before it, at a cost of $O(n r)$ a question after r of them.
///
/// Gaussian: with answers $a = W q$ to orthonormal q and $c = W^\top p$ to orthonormal p, what is left of W is Gaussian on $(I - P P^\top) W (I - Q
/// Q^\top)$. Orthogonal: pairs $(q, O q)$ serve both directions, and what is left is uniform between the complements.
package final class LazyMatrix: WeightMatrix {
  package let rows, columns: Int
  let law: WeightLaw
  /// Questions and answers of the two directions; one list of pairs if orthogonal.
  private let forward, backward: Answers
  private let rest: UnsafeMutablePointer<Double>

  /// Orthonormal questions and what was answered to them.
  private final class Answers {
    let questions, answers: Columns
    let capacity: Int
    /// Whether that many questions span the whole space: what is left of another one is rounding.
    private let isWhole: Bool
    var count = 0

    /// Whether there is room for one more.
    var hasRoom: Bool {
      precondition(count < capacity || isWhole, "more questions than were announced")
      return count < capacity
    }

    init(capacity: Int, question: Int, answer: Int) {
      self.capacity = capacity
      isWhole = capacity == question
      questions = Columns(capacity, rows: question)
      answers = Columns(capacity, rows: answer)
    }
  }

  /// - Parameters:
  ///   - forward: most questions of $W v$ that will be asked; `backward`: of $W^\top v$.
  /// - Precondition: Gaussian or orthogonal; `rows == columns` if orthogonal.
  package init(_ law: WeightLaw, rows: Int, columns: Int, forward: Int, backward: Int) {
    precondition(law.isInvariant && (law != .orthogonal || rows == columns))
    (self.law, self.rows, self.columns) = (law, rows, columns)
    if law == .orthogonal {
      self.forward = Answers(capacity: min(forward + backward, rows), question: columns, answer: rows)
      self.backward = self.forward
    } else {
      self.forward = Answers(capacity: min(forward, columns), question: columns, answer: rows)
      self.backward = Answers(capacity: min(backward, rows), question: rows, answer: columns)
    }
    rest = .allocateAligned(capacity: Triangular.padded(max(rows, columns)))
  }

  deinit { rest.deallocate() }

  package func renew(_ stream: inout Stream) {
    forward.count = 0
    backward.count = 0
  }

  package func multiply(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    if law == .orthogonal {
      askPairs(v, into: y, from: forward.questions, to: forward.answers, &stream)
    } else {
      ask(v, into: y, own: forward, other: backward, size: rows, &stream)
    }
  }

  package func multiplyTransposed(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, _ stream: inout Stream
  ) {
    if law == .orthogonal {
      askPairs(v, into: y, from: forward.answers, to: forward.questions, &stream)
    } else {
      ask(v, into: y, own: backward, other: forward, size: columns, &stream)
    }
  }

  /// Puts `v` less its part in the span of the first `count` columns in `rest`, and the answer of that part in `y`.
  /// - Returns: the length of the rest; 0 where it is rounding.
  private func split(
    _ v: UnsafePointer<Double>, _ span: Columns, _ images: Columns, _ count: Int, into y: UnsafeMutablePointer<Double>
  ) -> Double {
    let length = span.stride
    rest.update(from: v, count: length)
    for i in 0..<images.stride { y[i] = 0 }
    let whole = Triangular.dot(rest, rest, length)
    // Twice: the second time takes out what rounding has left.
    for _ in 0..<2 {
      for k in 0..<count {
        let (q, image) = (span[k], images[k])
        let along = Triangular.dot(q, rest, length)
        for i in 0..<length { rest[i] = rest[i].addingProduct(-along, q[i]) }
        for i in 0..<images.stride { y[i] = y[i].addingProduct(along, image[i]) }
      }
    }
    let left = Triangular.dot(rest, rest, length)
    return left > whole * (Triangular.leastLength * Triangular.leastLength) ? left.squareRoot() : 0
  }

  private func ask(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, own: Answers, other: Answers, size: Int,
    _ stream: inout Stream
  ) {
    let length = split(v, own.questions, own.answers, own.count, into: y)
    guard length > 0, own.hasRoom else { return }
    let (question, answer) = (own.questions[own.count], own.answers[own.count])
    for i in 0..<own.questions.stride { question[i] = rest[i] / length }
    law.fill(answer, size, &stream)
    for i in size..<own.answers.stride { answer[i] = 0 }
    // What is known of the answer from the other direction: p . W u = (W^T p) . u.
    for k in 0..<other.count {
      let (p, image) = (other.questions[k], other.answers[k])
      let known = Triangular.dot(image, question, other.answers.stride)
      let x = known - Triangular.dot(p, answer, other.questions.stride)
      for i in 0..<other.questions.stride { answer[i] = answer[i].addingProduct(x, p[i]) }
    }
    for i in 0..<own.answers.stride { y[i] = y[i].addingProduct(length, answer[i]) }
    own.count &+= 1
  }

  private func askPairs(
    _ v: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, from span: Columns, to images: Columns,
    _ stream: inout Stream
  ) {
    let count = forward.count
    let length = split(v, span, images, count, into: y)
    if length > 0 && forward.hasRoom {
      let (question, answer) = (span[count], images[count])
      for i in 0..<span.stride { question[i] = rest[i] / length }
      law.fill(answer, rows, &stream)
      for i in rows..<images.stride { answer[i] = 0 }
      for _ in 0..<2 {
        for k in 0..<count {
          let known = images[k]
          let along = Triangular.dot(known, answer, images.stride)
          for i in 0..<images.stride { answer[i] = answer[i].addingProduct(-along, known[i]) }
        }
      }
      let inverse = 1 / Triangular.dot(answer, answer, images.stride).squareRoot()
      for i in 0..<images.stride {
        answer[i] *= inverse
        y[i] = y[i].addingProduct(length, answer[i])
      }
      forward.count &+= 1
    }
    let root = Double(rows).squareRoot()
    for i in 0..<images.stride { y[i] *= root }
  }

  /// A whole matrix that gives all answers so far: the rest of it is drawn.
  package func completed(_ stream: inout Stream) -> ExplicitMatrix {
    let all = LazyMatrix(law, rows: rows, columns: columns, forward: columns, backward: backward.count)
    for (mine, theirs) in [(forward, all.forward)] + (law == .orthogonal ? [] : [(backward, all.backward)]) {
      theirs.count = mine.count
      for k in 0..<mine.count {
        theirs.questions[k].update(from: mine.questions[k], count: mine.questions.stride)
        theirs.answers[k].update(from: mine.answers[k], count: mine.answers.stride)
      }
    }
    let explicit = ExplicitMatrix(law, rows: rows, columns: columns)
    let (unit, image) = (Columns(1, rows: columns), Columns(1, rows: rows))
    for j in 0..<columns {
      for i in 0..<columns { unit[0][i] = i == j ? 1 : 0 }
      all.multiply(unit[0], into: image[0], &stream)
      for i in 0..<rows { explicit.entries[i][j] = image[0][i] }
    }
    return explicit
  }
}
