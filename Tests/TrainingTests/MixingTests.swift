import Engine
import Foundation
import Tensors
import Testing
import Training

struct MixingCase: Decodable, Sendable, CustomTestStringConvertible {
  struct File: Decodable {
    var rows, channels, height, width, classes: Int
    var smoothing: Double
    var labels: [Int32]
    var cases: [MixingCase]
  }
  var name: String
  var share: Double
  var center: [Int]?
  var images, targets: [Double]
  var testDescription: String { name }
  static let file = TrainingGolden.read(File.self, "mixing")
}

@Suite("mixing")
struct MixingTests {
  @Test("images and targets are mixed as timm mixes them", arguments: MixingCase.file.cases)
  func golden(_ golden: MixingCase) throws {
    let file = MixingCase.file
    let mixer = try BatchMixer(
      nil, smoothing: file.smoothing, seed: 1, rows: file.rows, classes: file.classes,
      shape: [file.channels, file.height, file.width])
    let draw: Mixing.Draw =
      if let center = golden.center {
        .box(share: golden.share, around: (center[0], center[1]), height: file.height, width: file.width)
      } else { .blend(share: golden.share) }
    var labels = file.labels
    labels.withUnsafeMutableBufferPointer { mixer.prepare($0, draw) }
    let images = golden.images.indices.map { Float(sin(1.7 * Double($0) + 1)) }
    var mixed = [Float](repeating: 0, count: images.count)
    mixer.write(images, to: &mixed)
    #expect(worstDifference(mixed.map(Double.init), golden.images) < 1e-6)
    let targets = (0..<file.rows * file.classes).map { Double(mixer.targets[$0]) }
    #expect(worstDifference(targets, golden.targets) < 1e-6)
    // What counts as a hit is the class with the larger share.
    let isOwn = draw.share >= 0.5
    #expect(Array(mixer.labels) == (isOwn ? file.labels : file.labels.reversed()))
  }

  @Test("of every alpha, draws are shares; next to 0 they are at both ends", arguments: [5e-324, 1e-310, 1e-300, 1e-3, 1, 1000])
  func shares(_ alpha: Double) {
    var random = RandomKey(seed: 1, for: .mixing).generator()
    let draws = (0..<200).map { _ in random.beta(alpha) }
    #expect(draws.allSatisfy { (0...1).contains($0) })
    if alpha < 1e-3 { #expect(Set(draws) == [0, 1]) }
    for share in draws {
      guard case .paste(let rows, let columns, let left) = Mixing.Draw.box(share: share, around: (3, 4), height: 9, width: 7)
      else { continue }
      #expect((0...9).contains(rows.upperBound) && (0...7).contains(columns.upperBound) && (0...1).contains(left))
    }
  }

  @Test("a draw follows from seed, epoch and batch, and mixes as often as asked")
  func draws() {
    let mixing = Mixing(mixup: 0.2, cutmix: 1, probability: 0.75, mixupSwitchProbability: 0.25)
    func draw(_ batch: Int) -> Mixing.Draw {
      var random = RandomKey(seed: 3, for: .mixing, epoch: 2, sample: batch).generator()
      return mixing.draw(height: 32, width: 32, using: &random)
    }
    let draws = (0..<4000).map(draw)
    #expect(draws[17] == draw(17) && draws[17] != draws[18])
    let (none, blends) = (draws.count { $0 == .none }, draws.count { if case .blend = $0 { true } else { false } })
    // Five standard deviations of a count of 4000 draws are at most 158.
    #expect(abs(none - 1000) < 158 && abs(blends - 2250) < 158)
    #expect(draws.allSatisfy { $0.share >= 0 && $0.share <= 1 })
  }

  @Test("shares follow the beta distribution", arguments: [0.1, 0.2, 1, 3])
  func beta(_ alpha: Double) {
    var random = RandomKey(seed: 1, for: .mixing).generator()
    let shares = (0..<20_000).map { _ in random.beta(alpha) }
    let mean = shares.reduce(0, +) / 20_000
    let variance = shares.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 20_000
    // Five standard deviations of the mean; the variance is 1 / (4 (2 alpha + 1)), and that of squares below 1/16.
    #expect(abs(mean - 0.5) < 5 * (variance / 20_000).squareRoot())
    #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 5 * (0.0625 / 20_000).squareRoot())
  }
}
