import Foundation
import Synchronization

/// Requests to stop. The first signal asks for a checkpoint; a second one, half a second later or more, ends the
/// process at once (mpirun passes one Ctrl-C on as more than one signal).
enum Signals {
  static let handled = [SIGTERM, SIGINT, SIGUSR1, SIGUSR2]
  private static let first = Atomic<Int64>(0)

  static var stopRequested: Bool { first.load(ordering: .relaxed) != 0 }

  /// The signal of a scheduler may come while a run starts, whose default action would end it as a failure: it stops at its first look instead.
  static func installEarly() { install([SIGUSR1]) }

  static func install() { install(handled) }

  private static func install(_ numbers: [Int32]) {
    _ = stopRequested
    // A parent with threads may have handed down a mask that blocks them.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in numbers { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    for number in numbers {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in Signals.received() }
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  /// Only calls that are safe in a handler: clock_gettime, atomics, _exit.
  private static func received() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) + 1
    let (exchanged, before) = first.compareExchange(expected: 0, desired: now, ordering: .relaxed)
    if !exchanged && now - before > 500_000_000 { _exit(75) }
  }
}
