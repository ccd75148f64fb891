internal import Foundation

/// What is used from now on: time, processor time, and the most memory that the process has held.
struct CostMeter {
  private let begun = ContinuousClock.now
  private let before = Self.usage

  private static var usage: rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage
  }

  var elapsed: Duration { ContinuousClock.now - begun }

  /// `(1.2 s, at most 310 MiB so far)`.
  func text(withProcessorTime: Bool) -> String {
    let usage = Self.usage
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    let processor =
      seconds(usage.ru_utime) + seconds(usage.ru_stime) - seconds(before.ru_utime) - seconds(before.ru_stime)
    let time = elapsed / .seconds(1)
    let memory = "at most \(usage.ru_maxrss / 1024) MiB so far"
    guard withProcessorTime else { return String(format: "(%.1f s, ", time) + memory + ")" }
    return "(\(Self.text(time)), \(Self.text(processor)) of processor time, \(memory))"
  }

  /// Three digits and a unit.
  static func text(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: String(format: "%.0f µs", seconds * 1e6)
    case ..<1: String(format: "%.3g ms", seconds * 1e3)
    case ..<100: String(format: "%.3g s", seconds)
    default: String(format: "%.0f s", seconds)
    }
  }
}
