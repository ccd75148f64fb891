import Foundation
import Interchange
import ModelZoo
import Networks
import SwiftProtobuf
import Tensors
import Testing

@Suite("Quantized files for other programs")
struct QuantizedExportTests {
  @Test("what a file says, evaluated, is what the network answers, to the level", arguments: QuantizedSample.all)
  func evaluation(_ sample: QuantizedSample) throws {
    let batch = try sample.plain.batch(1)
    let weights = try sample.weights()
    let expected = try sample.reference(batch, weights)
    let wide = batch.map { Double($0) }
    for format in sample.formats {
      let bytes = try sample.exported(as: format)
      let found =
        switch format {
        case .onnx: try Onnx_ModelProto(serializedBytes: bytes).evaluate(wide)
        case .tensorFlowLite: try TFLiteModel(reading: bytes).evaluate(wide)
        }
      try #require(found.shape == expected.shape)
      let largest = zip(found.elements, expected.elements).map { abs($0 - $1) }.max() ?? 0
      #expect(largest <= 1e-5 * max(1, expected.elements.map(abs).max() ?? 0), "\(format)")
    }
  }
}
