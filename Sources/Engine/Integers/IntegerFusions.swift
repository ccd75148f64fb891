internal import Networks
internal import Tensors

/// Which layers of a network with quantizers run as one step on integers. A step stands at the place of its
/// quantizer, the last of its layers.
struct IntegerFusions {
  /// `convolution or dense → (relu or clip) → quantizer → (add → (relu or clip) → quantizer)`.
  struct Product {
    var layer: Network.Node
    var activation: Network.Node?
    /// Nil where the answer stays real.
    var quantizer: Network.Node?
    var sum: Sum?
  }
  /// `add → (relu or clip) → quantizer`.
  struct Sum {
    var add: Network.Node
    /// What is added: both inputs, or the one that is not the product's.
    var others: [Network.Node]
    var activation: Network.Node?
    var quantizer: Network.Node
  }
  enum Group {
    case product(Product)
    case sum(Sum)
    case average(Network.Node, quantizer: Network.Node)
    /// What picks, clips or joins numbers, and the quantizer that brings them to its levels.
    case passing(Network.Node, quantizer: Network.Node)
  }

  private(set) var emitted: [Network.Node: Group] = [:]
  private(set) var absorbed: Set<Network.Node> = []

  /// None.
  init() {}

  init(_ network: Network) {
    let consumers = network.consumers
    func only(_ node: Network.Node) -> Network.Node? {
      consumers[node.index].count == 1 && node != network.output ? consumers[node.index][0] : nil
    }
    /// The activation and the quantizer that alone read a layer, one after the other.
    func tail(of node: Network.Node) -> (activation: Network.Node?, quantizer: Network.Node)? {
      guard let next = only(node) else { return nil }
      if case .fakeQuantize = network[next].operation { return (nil, next) }
      guard network[next].operation.fusedActivation != nil, let quantizer = only(next),
        case .fakeQuantize = network[quantizer].operation
      else { return nil }
      return (next, quantizer)
    }
    /// Whether what a layer reads is rounded, so that it is there in integers.
    func isWhole(_ node: Network.Node) -> Bool {
      var node = node
      while network[node].operation.passesNumbersOn, let before = network[node].inputs.first { node = before }
      if case .fakeQuantize = network[node].operation { return true }
      return false
    }
    func add(_ group: Group, at place: Network.Node, _ members: [Network.Node?]) {
      emitted[place] = group
      absorbed.formUnion(members.compactMap { $0 })
      absorbed.remove(place)
    }
    for node in network.nodes {
      let inputs = network[node].inputs
      guard !inputs.isEmpty, inputs.allSatisfy(isWhole), !absorbed.contains(node) else { continue }
      switch network[node].operation {
      case .convolution, .dense:
        guard let rules = network.weightQuantization(of: node), rules.isSymmetric else { continue }
        guard let tail = tail(of: node) else {
          let isAnswer = network[node].shape.rank == 1 && (consumers[node.index].isEmpty || node == network.output)
          if isAnswer { add(.product(Product(layer: node)), at: node, []) }
          continue
        }
        add(
          .product(Product(layer: node, activation: tail.activation, quantizer: tail.quantizer)), at: tail.quantizer,
          [node, tail.activation])
      case .add:
        guard let tail = tail(of: node) else { continue }
        var sum = Sum(add: node, others: inputs, activation: tail.activation, quantizer: tail.quantizer)
        // The later of two products takes the sum along: what it adds is there by then.
        let products = inputs.filter { input in
          guard case .product(let product)? = emitted[input], only(input) == node, product.sum == nil else {
            return false
          }
          return network[product.layer].shape.rank == 3
        }
        guard inputs[0] != inputs[1], let last = products.max(), case .product(var product)? = emitted[last] else {
          add(.sum(sum), at: tail.quantizer, [node, tail.activation])
          continue
        }
        sum.others = inputs.filter { $0 != last }
        product.sum = sum
        emitted[last] = nil
        add(.product(product), at: tail.quantizer, [last, node, tail.activation])
      case .averagePool, .relu, .clip, .concatenation:
        if case .averagePool(let rules) = network[node].operation, !rules.window.isOnePixel { continue }
        guard let next = only(node), case .fakeQuantize = network[next].operation else { continue }
        add(.passing(node, quantizer: next), at: next, [node])
      case .globalAveragePool:
        guard let next = only(node), case .fakeQuantize = network[next].operation else { continue }
        add(.average(node, quantizer: next), at: next, [node])
      // What has no kernel of integers is computed in float32.
      case .input, .batchNorm, .sigmoid, .tanh, .maxPool, .flatten, .dropout, .dropPath, .layerNorm, .gelu, .tokens,
        .tokenMean, .layerScale, .attention, .fakeQuantize:
        break
      }
    }
  }
}

extension Window {
  /// Whether it looks at one pixel at a time, none of which lies outside.
  var isOnePixel: Bool { kernel == 1 && padding == 0 }
}
