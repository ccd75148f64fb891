import Compression
import Datasets
import Engine
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 1) }

@Suite("numbers at the ends of what floats hold", .serialized)
struct ExtremeNumbersTests {
  @Test("ranges whose width no float holds are found, or named", arguments: CalibrationSettings.Method.allCases)
  func ranges(_ method: CalibrationSettings.Method) throws {
    let data = try Dataset.synthetic(classes: 2, shape: [1, 8, 8], train: 64, validation: 8)
    var network = Network("wide", input: [1, 8, 8])
    let flat = try network.append(.flatten(Flatten()), to: network.input)
    try network.append(.dense(Dense(to: 2, hasBias: false)), to: flat, named: "fc")
    var settings = CalibrationSettings()
    settings.method = method
    for magnitude: Float in [1e36, 4e36, 3e38] {
      let rows = [Float](repeating: magnitude, count: 64) + [Float](repeating: -magnitude, count: 64)
      let weights = ["fc.weight": try Tensor(rows, shape: [2, 64])]
      let quantizer = PostTrainingQuantizer(engine: try engine.get())
      do {
        let (rounded, numbers) = try quantizer.quantized(
          network, weights, on: data.train, normalization: Normalization(mean: [0], std: [0.1]),
          QuantizationScheme(), settings)
        for node in rounded.nodes {
          guard case .fakeQuantize = rounded[node].operation else { continue }
          let low = try #require(numbers["\(rounded[node].name).min"])[flat: 0]
          let high = try #require(numbers["\(rounded[node].name).max"])[flat: 0]
          #expect(low.isFinite && high.isFinite && low <= 0 && high >= 0)
        }
      } catch is WeightError {
      } catch is EngineError {
      }
    }
  }

  @Test("a share of channels is at least the fewest and at most all, whatever number it is", arguments: [
    Double.nan, -.infinity, -1, -0.0, 0, 5e-324, 0.3, 1, 1e300, .infinity,
  ])
  func rounding(_ share: Double) {
    for multiple in [Int.min, 0, 1, 8, 1 << 40, Int.max] {
      let count = ChannelRounding(multiple: multiple).count(share, of: 24)
      #expect(count >= ChannelRounding.fewest && count <= 24)
    }
  }
}
