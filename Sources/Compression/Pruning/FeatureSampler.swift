package import Engine
package import Networks
package import Tensors

/// Takes rows of layers' inputs and outputs at random places of some images.
///
/// The places follow from the seed, the layer and the image, so the rows of two networks with the same layers belong
/// to each other.
package final class FeatureSampler {
  private let network: Network
  private let reader: ActivationReader
  private let points: Int
  private let seed: UInt64

  /// Convolutions and dense layers whose rows would be longer than this are left as they are: their products alone would
  /// take half a gigabyte.
  package static let longestRow = 8192

  /// - Parameters:
  ///   - readers: the layers that are sampled.
  ///   - images: `N C H W`, normalized.
  ///   - points: places in an image, of a convolution.
  package init(
    _ network: Network, readers: Set<Network.Node>, images: Tensor, points: Int, seed: UInt64, engine: Engine,
    isInterrupted: @escaping () -> Bool = { false }
  ) throws(EngineError) {
    reader = try ActivationReader(
      network, taps: readers.union(readers.map { network[$0].inputs[0] }), images: images, engine: engine,
      isInterrupted: isInterrupted)
    (self.network, self.points, self.seed) = (network, points, seed)
  }

  package func load(_ weights: Weights) throws(EngineError) { try reader.load(weights) }

  /// See `ActivationReader.forEachBatch`.
  package func forEachBatch(before layer: Network.Node? = nil, _ body: (_ firstImage: Int) throws -> Void) throws {
    try reader.forEachBatch(before: layer, body)
  }

  /// How long a layer's rows are.
  package func columns(of reader: Network.Node) -> Int {
    network.parameters(of: reader)[0].rule.shape.sample.elementCount
  }

  /// How many rows a batch gives.
  package func rowsPerBatch(of reader: Network.Node) -> Int { self.reader.batch * pointCount(of: reader) }

  private func pointCount(of reader: Network.Node) -> Int {
    let shape = network.shape(of: reader)
    return shape.rank == 3 ? min(points, shape[1] * shape[2]) : 1
  }

  /// The output pixels of an image that are sampled.
  private func places(of reader: Network.Node, image: Int) -> [Int] {
    let shape = network.shape(of: reader)
    guard shape.rank == 3 else { return [0] }
    let area = shape[1] * shape[2]
    guard area > points else { return Array(0..<area) }
    var random = RandomKey(seed: seed, for: .selection, epoch: reader.index, sample: image).generator()
    var (chosen, known): ([Int], Set<Int>) = ([], [])
    while chosen.count < points {
      let place = random.integer(below: area)
      if known.insert(place).inserted { chosen.append(place) }
    }
    return chosen
  }

  /// The rows of inputs of the batch that was just computed.
  package func inputs(of reader: Network.Node, firstImage: Int) throws(EngineError) -> [Double] {
    let x = try self.reader.activation(of: network[reader].inputs[0])
    let columns = columns(of: reader)
    var rows = [Double](repeating: 0, count: rowsPerBatch(of: reader) * columns)
    x.withUnsafeElements { x in
      guard case .convolution(let convolution) = network[reader].operation else {
        for i in rows.indices { rows[i] = Double(x[i]) }
        return
      }
      let (shape, output) = (network.inputShapes(of: reader)[0], network.shape(of: reader))
      let (channels, height, width) = (shape[0], shape[1], shape[2])
      let window = convolution.window
      let (down, across) = (window.kernel.height, window.kernel.width)
      var row = 0
      for image in 0..<self.reader.batch {
        for place in places(of: reader, image: firstImage + image) {
          let top = place / output[2] * window.stride.height - window.padding.top
          let left = place % output[2] * window.stride.width - window.padding.left
          for i in 0..<down {
            let y = top + i * window.dilation.height
            guard (0..<height).contains(y) else { continue }
            for j in 0..<across {
              let z = left + j * window.dilation.width
              guard (0..<width).contains(z) else { continue }
              var from = (image * channels * height + y) * width + z
              var to = row * columns + i * across + j
              for _ in 0..<channels {
                rows[to] = Double(x[from])
                from += height * width
                to += down * across
              }
            }
          }
          row += 1
        }
      }
    }
    return rows
  }

  /// The rows of outputs of the batch that was just computed, less the bias.
  package func outputs(of reader: Network.Node, firstImage: Int, bias: Tensor?) throws(EngineError) -> [Double] {
    let y = try self.reader.activation(of: reader)
    let shape = network.shape(of: reader)
    let (channels, area) = (shape[0], shape.rank == 3 ? shape[1] * shape[2] : 1)
    let bias = bias.map { $0.elements.map(Double.init) }
    var rows: [Double] = []
    rows.reserveCapacity(rowsPerBatch(of: reader) * channels)
    y.withUnsafeElements { y in
      for image in 0..<self.reader.batch {
        for place in places(of: reader, image: firstImage + image) {
          for channel in 0..<channels {
            rows.append(Double(y[(image * channels + channel) * area + place]) - (bias?[channel] ?? 0))
          }
        }
      }
    }
    return rows
  }
}
