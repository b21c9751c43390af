/// An order of the rows of a sparse symmetric matrix in which a Cholesky factor has few entries: approximate minimum degree (Amestoy, Davis,
/// Duff, SIAM J. Matrix Anal. Appl. 17, 1996) on a quotient graph.
///
/// Rows that are eliminated become elements: cliques of the rows that they touched. An element that another one contains is absorbed. Of
/// two rows of the same degree the one whose degree changed last goes first, so the order is a function of the pattern.
enum EliminationOrder {
  /// Row numbers in the order of elimination.
  static func minimumDegree(_ a: SparseSymmetric) -> [Int32] {
    let n = a.count
    var graph = QuotientGraph(a)
    var order: [Int32] = []
    order.reserveCapacity(n)
    while order.count < n {
      let p = graph.pop()
      order.append(Int32(p))
      let front = graph.eliminate(p)
      // What is left is one clique: any order of it is as good.
      if front.count == n - order.count {
        order += front.sorted()
        break
      }
      graph.update(front, pivot: p)
    }
    return order
  }
}

private struct QuotientGraph {
  /// Neighbours of a row that no element stands for, and the elements that it belongs to; rows of an element.
  private var rows: [[Int32]]
  private var elements: [[Int32]]
  private var members: [[Int32]]
  private var degree: [Int]
  private var isEliminated: [Bool]
  /// Marks of the last use: of a row that it is in the front, of an element what is left of it outside the front.
  private var mark: [Int]
  private var outside: [Int]
  private var stamp: [Int]
  private var round = 0
  /// Doubly linked rows of each degree.
  private var head, next, previous: [Int32]
  private var least = 0
  private var left: Int

  init(_ a: SparseSymmetric) {
    let n = a.count
    rows = (0..<n).map { Array(a.columns[a.entries(of: $0)]) }
    elements = Array(repeating: [], count: n)
    members = Array(repeating: [], count: n)
    degree = rows.map(\.count)
    isEliminated = Array(repeating: false, count: n)
    mark = Array(repeating: -1, count: n)
    outside = Array(repeating: 0, count: n)
    stamp = Array(repeating: -1, count: n)
    head = Array(repeating: -1, count: n + 1)
    next = Array(repeating: -1, count: n)
    previous = Array(repeating: -1, count: n)
    left = n
    for i in (0..<n).reversed() { link(i) }
  }

  private mutating func link(_ i: Int) {
    let d = degree[i]
    next[i] = head[d]
    previous[i] = -1
    if head[d] >= 0 { previous[Int(head[d])] = Int32(i) }
    head[d] = Int32(i)
    least = min(least, d)
  }

  private mutating func unlink(_ i: Int) {
    if next[i] >= 0 { previous[Int(next[i])] = previous[i] }
    if previous[i] >= 0 { next[Int(previous[i])] = next[i] } else { head[degree[i]] = next[i] }
  }

  /// A row of the smallest degree.
  mutating func pop() -> Int {
    while head[least] < 0 { least += 1 }
    let p = Int(head[least])
    unlink(p)
    isEliminated[p] = true
    left -= 1
    return p
  }

  /// Makes row p an element, which absorbs its own; its rows.
  mutating func eliminate(_ p: Int) -> [Int32] {
    round += 1
    mark[p] = round
    var front: [Int32] = []
    func take(_ list: [Int32], _ mark: inout [Int], _ front: inout [Int32]) {
      for i in list where mark[Int(i)] != round && !isEliminated[Int(i)] {
        mark[Int(i)] = round
        front.append(i)
      }
    }
    take(rows[p], &mark, &front)
    for e in elements[p] {
      take(members[Int(e)], &mark, &front)
      members[Int(e)] = []
    }
    (rows[p], elements[p]) = ([], [])
    members[p] = front
    return front
  }

  /// New lists and degrees of the rows of the front.
  mutating func update(_ front: [Int32], pivot p: Int) {
    // What is left of every element outside the front.
    for i in front {
      for e in elements[Int(i)] where !members[Int(e)].isEmpty {
        if stamp[Int(e)] != round {
          stamp[Int(e)] = round
          let alive = members[Int(e)].filter { !isEliminated[Int($0)] }
          members[Int(e)] = alive
          outside[Int(e)] = alive.count
        }
        outside[Int(e)] -= 1
      }
    }
    var inside: [Int32] = []
    for row in front {
      let i = Int(row)
      unlink(i)
      // Not those that are absorbed, now or before.
      let apart = elements[i].filter { !members[Int($0)].isEmpty && outside[Int($0)] > 0 }
      let others = apart.reduce(0) { $0 + outside[Int($1)] }
      inside.append(contentsOf: elements[i].filter { outside[Int($0)] == 0 })
      elements[i] = apart + [Int32(p)]
      rows[i] = rows[i].filter { mark[Int($0)] != round && !isEliminated[Int($0)] }
      let bound = min(degree[i] + front.count - 1, front.count - 1 + others + rows[i].count)
      degree[i] = min(left - 1, bound)
      link(i)
    }
    // Elements inside the front are absorbed by it.
    for e in inside where Int(e) != p { members[Int(e)] = [] }
  }
}
