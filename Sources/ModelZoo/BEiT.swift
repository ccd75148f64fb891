public import Networks
public import Tensors

/// The vision transformer of Bao et al. 2021 (arXiv:2106.08254) as it classifies: patches as tokens, blocks of attention
/// and of dense layers, the mean of the tokens.
///
/// Each block's attention has a table of biases of its own for where two tokens stand; no token has a position
/// otherwise. Names are those of timm's `beit_base_patch16_224`, so that its weights load.
public struct BEiT: Hashable, Sendable {
  /// Pixels of a patch's side.
  public var patch: Int
  /// Of each token.
  public var features: Int
  public var depth: Int
  /// Of each block's attention.
  public var heads: Int

  /// The paper's base network unless asked otherwise.
  public init(patch: Int = 16, features: Int = 768, depth: Int = 12, heads: Int = 12) {
    (self.patch, self.features, self.depth, self.heads) = (patch, features, depth, heads)
  }

  /// Builds the network. Weights start as N(0, 0.02²), those of the patches as PyTorch's, and biases at 0; timm's
  /// further division of them by depth is not made.
  /// - Throws: `ShapeError` where the input is no image of whole patches, or a size out of range.
  public func network(input: Shape, classes: Int) throws(ShapeError) -> Network {
    var network = try Network(
      image: input, named: self == BEiT() ? "beitB16" : "beit",
      initialization: Initialization(
        convolution: .uniformFanIn, dense: .normal(std: 0.02), biasesAreZero: true))
    guard patch > 0, input[1] % patch == 0, input[2] % patch == 0 else {
      throw ShapeError("\(network.name) takes images whose sides are multiples of \(patch) pixels, \(input) was given")
    }
    let window = Window(kernel: Extent(patch), stride: Extent(patch))
    var x = try network.append(
      .convolution(Convolution(to: features, window, hasBias: true)), to: network.input, named: "patch_embed.proj")
    let grid = Extent(height: network.shape(of: x)[1], width: network.shape(of: x)[2])
    x = try network.append(.tokens(Tokens()), to: x, named: "cls_token")
    for i in 0..<depth {
      x = try network.attentionBranch(x, heads: heads, grid: grid, named: "blocks.\(i)")
      x = try network.denseBranch(x, named: "blocks.\(i)")
    }
    x = try network.append(.tokenMean(TokenMean()), to: x, named: "token_mean")
    x = try network.append(.layerNorm(LayerNorm(epsilon: Network.epsilon)), to: x, named: "fc_norm")
    try network.append(.dense(Dense(to: classes)), to: x, named: "head")
    return network
  }
}

extension Network {
  fileprivate static let epsilon: Float = 1e-6

  /// `x + γ₁ attention(norm(x))`, with the products by the weights of query, key, value and output.
  fileprivate mutating func attentionBranch(
    _ x: Node, heads: Int, grid: Extent, named name: String
  ) throws(ShapeError) -> Node {
    let features = shape(of: x)[1]
    var y = try append(.layerNorm(LayerNorm(epsilon: Self.epsilon)), to: x, named: "\(name).norm1")
    y = try append(.dense(Dense(to: 3 * features, hasBias: false)), to: y, named: "\(name).attn.qkv")
    y = try append(.attention(Attention(heads: heads, grid: grid)), to: y, named: "\(name).attn")
    y = try append(.dense(Dense(to: features)), to: y, named: "\(name).attn.proj")
    y = try append(.layerScale(LayerScale()), to: y, named: "\(name).gamma_1")
    return try append(.add(Add()), to: x, y, named: "\(name).attn.add")
  }

  /// `x + γ₂ W₂ gelu(W₁ norm(x))`, four times as wide within.
  fileprivate mutating func denseBranch(_ x: Node, named name: String) throws(ShapeError) -> Node {
    let features = shape(of: x)[1]
    var y = try append(.layerNorm(LayerNorm(epsilon: Self.epsilon)), to: x, named: "\(name).norm2")
    y = try append(.dense(Dense(to: 4 * features)), to: y, named: "\(name).mlp.fc1")
    y = try append(.gelu(GELU()), to: y, named: "\(name).mlp.act")
    y = try append(.dense(Dense(to: features)), to: y, named: "\(name).mlp.fc2")
    y = try append(.layerScale(LayerScale()), to: y, named: "\(name).gamma_2")
    return try append(.add(Add()), to: x, y, named: "\(name).mlp.add")
  }
}
