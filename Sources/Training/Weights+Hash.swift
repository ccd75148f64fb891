internal import Datasets
internal import Tensors

extension Weights {
  /// A hash of names and numbers, in 16 hexadecimal digits.
  package var contentHash: String {
    var hasher = StableHasher()
    for (name, tensor) in sorted(by: { $0.key < $1.key }) {
      hasher.combine(name)
      tensor.withUnsafeElements { hasher.combine(UnsafeRawBufferPointer($0)) }
    }
    return hasher.hexadecimal
  }
}
