/// Formulas to a list of loops: one graph of all, an instruction for each node that is not part of another one's, registers used again
/// as soon as they are free.
struct Compiler {
  private var graph = Graph()
  private let roots: [Graph.ID]
  private let variables: Int

  init(_ formulas: [Formula]) {
    variables = formulas[0].variables.count
    var graph = Graph()
    roots = formulas.map { graph.add($0.graph, $0.root) }
    self.graph = graph
  }

  /// The instructions, with slots in the order inputs, outputs, registers.
  mutating func compiled() -> (steps: [Instruction], registers: Int) {
    let templates = selected()
    let order = templates.indices.filter { templates[$0] != nil }
    // When each node is read for the last time; results are read at the end.
    var lastUse = [Int](repeating: -1, count: templates.count)
    for (time, k) in order.enumerated() { for operand in templates[k]!.operands { lastUse[Int(operand)] = time } }
    let lastInput = order.enumerated().last { reads(templates[$1]!) }?.offset ?? -1
    let ends = variables + roots.count
    var slot = [Int32](repeating: -1, count: templates.count)
    var (free, registers) = ([Int32](), 0)
    var (steps, copies) = ([Instruction](), [Instruction]())
    for (k, node) in graph.nodes.enumerated() where node.operation == .variable {
      slot[k] = Int32(node.exponent)
      guard roots.contains(Graph.ID(k)) else { continue }
      // A result that is a variable: kept from the start, because another result may take its place.
      slot[k] = Int32(ends + registers)
      registers += 1
      steps.append(Instruction(code: .copy, out: slot[k], a: Int32(node.exponent)))
    }

    for (time, k) in order.enumerated() {
      var step = templates[k]!
      let output = roots.firstIndex(of: Graph.ID(k))
      // A result may be the buffer of an input, so it is written there only when no input is needed any more; and a choice must not
      // write to one of its operands, which would keep it from being vector code.
      let isDirect = time >= lastInput && (step.writesInPlace || !reads(step))
      if let output, isDirect {
        slot[k] = Int32(variables + output)
      } else if let register = free.popLast() {
        slot[k] = register
      } else {
        slot[k] = Int32(ends + registers)
        registers += 1
      }
      let operands = step.operands
      func place(_ id: Int32) -> Int32 { id < 0 ? -1 : slot[Int(id)] }
      (step.a, step.b, step.c, step.d) = (place(step.a), place(step.b), place(step.c), place(step.d))
      step.out = slot[k]
      steps.append(step)
      for operand in Set(operands) where lastUse[Int(operand)] == time && !roots.contains(operand) {
        let place = slot[Int(operand)]
        if place >= ends { free.append(place) }
      }
    }
    for (k, root) in roots.enumerated() where slot[Int(root)] != Int32(variables + k) {
      copies.append(Instruction(code: .copy, out: Int32(variables + k), a: slot[Int(root)]))
    }
    return (steps + copies, registers)
  }

  /// Instructions of the nodes that need one, by node.
  private func selected() -> [Instruction?] {
    var uses = [Int](repeating: 0, count: graph.nodes.count)
    let marks = graph.needed(by: roots)
    for k in marks.indices where marks[k] { graph.nodes[k].forEachArgument { uses[Int($0)] += 1 } }
    for root in roots { uses[Int(root)] += 1 }
    var wanted = [Bool](repeating: false, count: marks.count)
    for root in roots { wanted[Int(root)] = true }
    var templates = [Instruction?](repeating: nil, count: marks.count)
    for k in stride(from: marks.count - 1, through: 0, by: -1) {
      guard wanted[k], graph.nodes[k].operation != .variable else { continue }
      let step = graph.instruction(for: Graph.ID(k), uses: uses)
      for operand in step.operands { wanted[Int(operand)] = true }
      templates[k] = step
    }
    return templates
  }

  private func reads(_ step: Instruction) -> Bool {
    step.operands.contains { graph[$0].operation == .variable }
  }
}
