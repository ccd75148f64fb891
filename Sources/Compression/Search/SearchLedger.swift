internal import Foundation
public import Tensors
public import Training

/// One roll-out of a search, as the ledger keeps it.
public struct Trial: Hashable, Sendable, Codable {
  /// Which search it belongs to: a hash of its settings, its method and its seed.
  public var search: String
  public var method: String
  public var seed: UInt64
  /// From 0.
  public var episode: Int
  /// The share of channels that stays in each group that is pruned.
  public var ratios: [Double]
  /// The number of channels in these groups.
  public var channels: [Int]
  public var reward: Double
  public var evaluation: Evaluation
  /// Multiply-adds for one picture, and trainable numbers.
  public var macs, parameters: Int
  /// A hash of the pruned weights.
  public var weights: String
  /// What it took; 0 where its network had been measured before.
  public var seconds: Double

  /// What does not depend on the clock.
  public var facts: Trial {
    var facts = self
    facts.seconds = 0
    return facts
  }
}

/// Every roll-out of the searches over one network, a line of JSON each, written through to the disk before the next
/// begins.
///
/// A network of the same channels is measured once, whichever search comes to it. So a search that was killed goes on by
/// doing its steps again: what the ledger holds costs nothing, and the rest follows as if nothing had happened.
public final class SearchLedger {
  /// The file; nil for one that is kept in memory alone.
  public let path: String?
  public private(set) var trials: [Trial] = []
  private var byChannels: [[Int]: Trial] = [:]
  private var written: Set<Place> = []

  private struct Place: Hashable { var search: String, episode: Int }

  /// Opens a ledger, or begins one. A last line that was not finished is cut off.
  /// - Throws: `TensorError.file` where the system refuses; `.malformed` for a line that is no roll-out.
  public init(at path: String?) throws(TensorError) {
    self.path = path
    guard let path, FileManager.default.fileExists(atPath: path) else { return }
    let bytes = try readFile(path, limit: 1 << 30)
    let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
    if whole < bytes.count {
      guard truncate(path, off_t(whole)) == 0 else { throw .system(path, errno) }
    }
    for (number, line) in bytes[..<whole].split(separator: 10).enumerated() {
      guard let trial = try? JSONDecoder().decode(Trial.self, from: Data(line)) else {
        throw .malformed(path: path, problem: "line \(number + 1) is no roll-out")
      }
      note(trial)
    }
  }

  private func note(_ trial: Trial) {
    trials.append(trial)
    written.insert(Place(search: trial.search, episode: trial.episode))
    if byChannels[trial.channels] == nil { byChannels[trial.channels] = trial }
  }

  /// What is known of a network of these channels.
  func known(_ channels: [Int]) -> Trial? { byChannels[channels] }

  /// Adds a line, unless the roll-out has one.
  /// - Throws: `TensorError.file` with the system's reason, such as a full disk.
  func append(_ trial: Trial) throws(TensorError) {
    guard !written.contains(Place(search: trial.search, episode: trial.episode)) else { return }
    guard let path else { return note(trial) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var line = try? encoder.encode(trial) else { preconditionFailure("strings and numbers are JSON") }
    line.append(10)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(path, errno) }
    defer { close(descriptor) }
    let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count == line.count else { throw .system(path, count < 0 ? errno : ENOSPC) }
    guard fsync(descriptor) == 0 else { throw .system(path, errno) }
    note(trial)
  }

  /// The roll-out that another reward, or another budget, would have chosen.
  public func best(by reward: PruningReward, macsAtMost budget: Int) -> Trial? {
    var best: (trial: Trial, reward: Double)?
    for trial in trials where trial.macs <= budget {
      let value = reward.value(trial.evaluation, macs: trial.macs)
      if value > best?.reward ?? -.infinity { best = (trial, value) }
    }
    return best?.trial
  }
}
