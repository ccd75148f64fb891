internal import CDNNL
internal import Networks

/// One way to compute a convolution: what oneDNN is asked for.
struct ConvolutionChoice {
  var algorithm: dnnl_alg_kind_t
  /// Whether images come and go as `n C/block h w block`; otherwise oneDNN says how.
  var isBlocked = false
  /// The tile of Winograd's algorithm, as it stands in the kernel's name: `4x3` is F(4x4, 3x3).
  var tile: String?
  var type = dnnl_f32

  static let direct = ConvolutionChoice(algorithm: dnnl_convolution_direct)
  static let blocked = ConvolutionChoice(algorithm: dnnl_convolution_direct, isBlocked: true)
  static func winograd(_ tile: String) -> ConvolutionChoice {
    ConvolutionChoice(algorithm: dnnl_convolution_winograd, tile: tile)
  }

  func computing(in type: dnnl_data_type_t) -> ConvolutionChoice {
    var choice = self
    choice.type = type
    return choice
  }

  /// Whether a kernel is the one that is asked for. Kernels other than float32's may be plain loops.
  func accepts(_ descriptor: PrimitiveDescriptor) -> Bool {
    (tile.map(descriptor.kernel.contains) ?? true) && (type == dnnl_f32 || !descriptor.isReference)
  }
}

/// The rules by which a convolution's kernel is chosen. They are drawn from measurement (`Benchmarks/convolutions`,
/// `docs/inside/engine.md`) and depend on the shape alone, so that a plan is the same tomorrow.
struct ConvolutionRules {
  let convolution: Networks.Convolution
  let inputChannels: Int
  /// Height and width of the output.
  let output: [Int]
  let batch: Int
  /// Channels that lie together.
  let block: Int
  let allowed: Engine.Convolutions
  let precision: Precision

  /// Tiles of four by four outputs in a batch.
  private var tiles: Int { batch * output.reduce(1) { $0 * (($1 + 3) / 4) } }

  /// Below 64 channels Winograd's kernels were slower than the direct ones in each direction.
  private var mayUseWinograd: Bool {
    let window = convolution.window
    return allowed == .fastest && window.kernels == [3, 3] && window.strides == [1, 1] && window.dilations == [0, 0]
      && convolution.groups == 1
      && [inputChannels, convolution.outputChannels].allSatisfy { $0 >= 64 && $0 % block == 0 }
  }

  /// F(4x4, 3x3) reads four times the weights, which pays from so many tiles on.
  private static let manyTiles = 49

  /// Whether Winograd's algorithm in float32 does better than a direct kernel in bf16, whose products cost half: so many
  /// channels, or so large an image, that neither the transforms nor the conversions of arrays between layers show.
  private var isWinogradBestOfAll: Bool {
    let (channels, pixels) = (min(inputChannels, convolution.outputChannels), output.reduce(1, *))
    return mayUseWinograd && tiles >= Self.manyTiles
      && (channels >= 256 && pixels >= 28 * 28 || channels >= 128 && pixels >= 56 * 56 || pixels >= 112 * 112)
  }

  /// The ways for one direction of training, best first.
  var training: [ConvolutionChoice] {
    let float: [ConvolutionChoice] = mayUseWinograd && tiles >= Self.manyTiles ? [.winograd("4x3"), .direct] : [.direct]
    guard precision == .bf16 else { return float }
    return isWinogradBestOfAll ? float + [.direct.computing(in: dnnl_bf16)] : [.direct.computing(in: dnnl_bf16)] + float
  }

  /// The ways for inference, best first.
  ///
  /// In bf16 direct kernels in blocks are as fast as the others, or faster, at every shape that was tried.
  ///
  /// F(2x2, 3x3), which oneDNN has for small batches only, pays where there are few tiles. Large images are fastest in blocks, small ones in the channels-last layouts that
  /// oneDNN takes on its own.
  var inference: [ConvolutionChoice] {
    var choices: [ConvolutionChoice] = []
    if mayUseWinograd {
      if tiles < Self.manyTiles { choices.append(.winograd("2x3")) }
      if tiles >= 16 { choices.append(.winograd("4x3")) }
    }
    if output.reduce(1, *) >= 28 * 28 { choices.append(.blocked) }
    choices.append(.direct)
    guard precision == .bf16 else { return choices }
    let halves = [ConvolutionChoice.blocked, .direct].map { $0.computing(in: dnnl_bf16) }
    return isWinogradBestOfAll ? choices + halves : halves + choices
  }
}
