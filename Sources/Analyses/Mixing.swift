import Experiments
struct Mixing {
  init?(leg: Leg, state: LegState) { return nil }; var isMixed: Bool { true }; var sentence: String { "" }
}
