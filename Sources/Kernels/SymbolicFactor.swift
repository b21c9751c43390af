/// The pattern of a Cholesky factor: elimination tree, fronts, and their rows.
struct SymbolicFactor {
  let order, place: [Int32]
  let fronts: [SparseFactor.Front]
  let entries, longestColumn: Int

  /// Columns are joined into wider fronts while those have few zeros: this number, or this share of their entries.
  private static let fewZeros = 128
  private static let shareOfZeros = 0.25

  init(_ a: SparseSymmetric) {
    let n = a.count
    let first = Tree(a, EliminationOrder.minimumDegree(a))
    let order = first.postorder.map { first.order[Int($0)] }
    let tree = Tree(a, order)
    let (counts, longest) = tree.counts(a)
    longestColumn = longest

    // Columns that follow each other with the same rows below them, and those that are nearly so.
    var starts: [Int] = []
    var padded = 0
    for j in 0..<n {
      if let start = starts.last, j > start, Int(tree.parent[j - 1]) == j {
        let width = j - start
        let (size, wanted) = (Int(counts[j]) + width, Int(counts[j - 1]) + width - 1)
        // Rows that the columns so far do not have, though the front with column j would.
        let added = (size - wanted) * width
        let whole = (size + 1 - width) * (width + 1) + width * (width + 1) / 2
        if added == 0 || padded + added < Self.fewZeros
          || Double(padded + added) < Self.shareOfZeros * Double(whole)
        {
          padded += added
          continue
        }
      }
      starts.append(j)
      padded = 0
    }
    let ranges = starts.enumerated().map { $1..<($0 + 1 < starts.count ? starts[$0 + 1] : n) }
    var owner = [Int](repeating: 0, count: n)
    for (number, range) in ranges.enumerated() { for j in range { owner[j] = number } }

    var children: [[Int]] = Array(repeating: [], count: ranges.count)
    var fronts: [SparseFactor.Front] = []
    var mark = [Int](repeating: -1, count: n)
    var total = 0
    for (number, range) in ranges.enumerated() {
      var below: [Int32] = []
      func add(_ row: Int32) {
        guard Int(row) >= range.upperBound, mark[Int(row)] != number else { return }
        mark[Int(row)] = number
        below.append(row)
      }
      for column in range {
        for e in a.entries(of: Int(order[column])) { add(tree.place[Int(a.columns[e])]) }
      }
      for child in children[number] { for row in fronts[child].rows[fronts[child].columns.count...] { add(row) } }
      below.sort()
      if let next = below.first { children[owner[Int(next)]].append(number) }
      fronts.append(
        .init(
          columns: range, rows: range.map { Int32($0) } + below, children: children[number], place: total))
      total += range.count * (range.count + below.count)
    }
    (self.order, place, self.fronts, entries) = (order, tree.place, fronts, total)
  }

  /// The elimination tree of a matrix in an order.
  private struct Tree {
    let order, place: [Int32]
    /// -1 for a root.
    let parent: [Int32]

    init(_ a: SparseSymmetric, _ order: [Int32]) {
      let n = a.count
      var place = [Int32](repeating: 0, count: n)
      for (i, row) in order.enumerated() { place[Int(row)] = Int32(i) }
      var parent = [Int32](repeating: -1, count: n)
      var ancestor = parent
      for i in 0..<n {
        for e in a.entries(of: Int(order[i])) {
          var k = place[Int(a.columns[e])]
          // Up to the root, shortening the path for the next one.
          while k >= 0, Int(k) < i {
            let next = ancestor[Int(k)]
            ancestor[Int(k)] = Int32(i)
            if next < 0 { parent[Int(k)] = Int32(i) }
            k = next
          }
        }
      }
      (self.order, self.place, self.parent) = (order, place, parent)
    }

    /// Every subtree in one piece.
    var postorder: [Int32] {
      let n = parent.count
      var (head, next) = ([Int32](repeating: -1, count: n), [Int32](repeating: -1, count: n))
      for i in (0..<n).reversed() where parent[i] >= 0 {
        next[i] = head[Int(parent[i])]
        head[Int(parent[i])] = Int32(i)
      }
      var result: [Int32] = []
      var stack: [Int32] = []
      for root in 0..<n where parent[root] < 0 {
        stack.append(Int32(root))
        while let top = stack.last {
          let child = head[Int(top)]
          if child >= 0 {
            head[Int(top)] = next[Int(child)]
            stack.append(child)
          } else {
            result.append(top)
            stack.removeLast()
          }
        }
      }
      return result
    }

    /// Entries of every row of R with its diagonal, and the most of a column.
    func counts(_ a: SparseSymmetric) -> ([Int32], Int) {
      let n = parent.count
      var counts = [Int32](repeating: 1, count: n)
      var mark = [Int32](repeating: -1, count: n)
      var longest = 1
      for i in 0..<n {
        mark[i] = Int32(i)
        var length = 1
        for e in a.entries(of: Int(order[i])) {
          var k = place[Int(a.columns[e])]
          while Int(k) < i, mark[Int(k)] != Int32(i) {
            mark[Int(k)] = Int32(i)
            counts[Int(k)] += 1
            length += 1
            k = parent[Int(k)]
          }
        }
        longest = max(longest, length)
      }
      return (counts, longest)
    }
  }
}
