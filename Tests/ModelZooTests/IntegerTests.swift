import Engine
import ModelZoo
import Networks
import Tensors
import Testing

@Suite("the zoo on integers", .serialized) struct IntegerTests {
  /// Those that have a form in 8 bits, at a size that is soon done.
  private static let networks = ModelZoo.all.map(\.name).filter { $0 != "beitBase" && !$0.hasPrefix("beit") }

  @Test(
    "every layer of every network but transformers has a kernel for integers, none a slow reference",
    arguments: networks)
  func kernels(_ name: String) throws {
    let entry = try #require(ModelZoo.entry(named: name))
    let side = entry.input[1] > 32 ? 64 : 32
    let network = try InsertQuantizers(QuantizationScheme())(entry.make(input: [3, side, side], classes: 10), [:]).0
    let plan = try Engine(threads: 2).compile(network, batch: 2, mode: .int8)
    // Means of windows, which ResNet-D has on its shortcuts, are computed in float32.
    for label in plan.labels where label.kind != "reorder" {
      #expect(
        label.kernel.hasPrefix("own int8") || label.kind == "average pool", "\(label.layer): \(label.kind) by \(label.kernel)")
      #expect(!label.kernel.contains("ref"))
    }
    let products = plan.labels.filter { $0.kind.hasPrefix("convolution") || $0.kind.hasPrefix("dense") }
    let expected = network.nodes.filter { network.weightQuantization(of: $0) != nil }
    #expect(products.count == expected.count)
    // Sums run within the convolutions before them, where there are some.
    #expect(!plan.labels.contains { $0.kind == "add" })
  }
}
