package import Tensors

/// What least squares and LASSO need to know of one layer: products of sampled inputs with each other and with the
/// outputs that they should give.
///
/// A row of inputs is what one output pixel sees, in the order of the layer's weights: `I h w` for a convolution, `I` for
/// a dense layer. The products are sums over rows, so they are gathered batch by batch and shared by all ratios.
package struct LayerStatistics {
  /// `xᵀ x`, `[K, K]`.
  package private(set) var gram: Matrix
  /// `xᵀ y`, `[K, O]`.
  package private(set) var cross: Matrix
  package private(set) var rows = 0

  package init(columns: Int, outputs: Int) throws(TensorError) {
    gram = try LinearAlgebra.zeros(columns, columns)
    cross = try LinearAlgebra.zeros(columns, outputs)
  }

  var columns: Int { gram.shape[0] }
  var outputs: Int { cross.shape[1] }

  /// Takes in rows.
  /// - Parameters:
  ///   - x: `rows` rows of inputs.
  ///   - y: `rows` rows of outputs, without the layer's bias.
  package mutating func add(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, rows count: Int) {
    LinearAlgebra.addProduct(x, columns, x, columns, rows: count, to: &gram)
    LinearAlgebra.addProduct(x, columns, y, outputs, rows: count, to: &cross)
    rows += count
  }

  /// Completes the products; to be called when all rows are in.
  package mutating func finish() { LinearAlgebra.mirror(&gram) }

  /// The weights, `[O, K]`, that give the outputs best from some of the inputs, in the sense of least squares; 0 for the
  /// other inputs.
  /// - Parameter kept: the inputs that stay, ascending.
  package func reconstruction(from kept: [Int]) throws -> Tensor {
    let (all, outputs) = (columns, outputs)
    var weights = try Tensor(zeros: [outputs, all])
    guard !kept.isEmpty else { return weights }
    let (small, right) = (
      try gram.part(rows: kept, columns: kept), try cross.part(rows: kept, columns: Array(0..<outputs))
    )
    let solution = try LinearAlgebra.leastSquares(gram: small, cross: right)
    solution.withUnsafeElements { x in
      weights.withUnsafeMutableElements { w in
        for (i, column) in kept.enumerated() {
          for o in 0..<outputs { w[o * all + column] = Float(x[i * outputs + o]) }
        }
      }
    }
    return weights
  }

  /// What a channel's share in the outputs has in common with another's, and with the outputs: the products that LASSO
  /// chooses by, of He et al. 2017 (arXiv:1707.06168), eq. 2.
  ///
  /// With `z_c = x_c w_cᵀ` the outputs that channel `c` alone makes, flattened over rows and outputs: `z_cᵀ z_d` is the sum
  /// over both channels' inputs of `(xᵀ x) ∘ (wᵀ w)`, so no `z` is ever written down.
  /// - Parameters:
  ///   - weights: `[O, K]`.
  ///   - channels: the inputs that belong to each channel.
  ///   - fixed: other inputs that stay as they are.
  package func shares(
    _ weights: Tensor, of channels: [[Int]], fixed: [Int]
  ) throws(TensorError) -> (gram: Matrix, cross: [Double]) {
    let (all, outputs) = (columns, outputs)
    let doubles = try Matrix(weights.elements.lazy.map(Double.init), shape: weights.shape)
    let products = try LinearAlgebra.product(doubles, transposedWith: doubles)
    var result = try LinearAlgebra.zeros(channels.count, channels.count)
    var cross = [Double](repeating: 0, count: channels.count)
    gram.withUnsafeElements { gram in
      products.withUnsafeElements { products in
        func sum(_ a: [Int], _ b: [Int]) -> Double {
          var sum = 0.0
          for i in a { for j in b { sum += gram[i * all + j] * products[i * all + j] } }
          return sum
        }
        result.withUnsafeMutableElements { result in
          for c in channels.indices {
            for d in 0...c {
              let value = sum(channels[c], channels[d])
              result[c * channels.count + d] = value
              result[d * channels.count + c] = value
            }
          }
        }
        self.cross.withUnsafeElements { y in
          doubles.withUnsafeElements { w in
            for c in channels.indices {
              for i in channels[c] { for o in 0..<outputs { cross[c] += y[i * outputs + o] * w[o * all + i] } }
              if !fixed.isEmpty { cross[c] -= sum(channels[c], fixed) }
            }
          }
        }
      }
    }
    return (result, cross)
  }
}
