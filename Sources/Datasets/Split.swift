public import Tensors

/// A part of a dataset: some samples of a source, in a fixed order.
public struct Split: Sendable {
  public let source: any ImageSource
  /// Which sample of the source each position holds; nil for all of them in their order.
  private let indices: [Int32]?

  /// All samples of a source.
  public init(_ source: any ImageSource) {
    self.source = source
    indices = nil
  }

  private init(_ source: any ImageSource, indices: [Int32]) {
    self.source = source
    self.indices = indices
  }

  /// The same samples in another size, where their source can show them so; else as they are.
  func showing(_ shape: Shape) -> Split {
    guard shape != imageShape, let source = source.showing(shape) else { return self }
    return indices.map { Split(source, indices: $0) } ?? Split(source)
  }

  /// None of its samples.
  public var empty: Split { Split(source, indices: []) }

  public var count: Int { indices?.count ?? source.count }
  /// `C x H x W`.
  public var imageShape: Shape { source.imageShape }

  /// The number of a sample in its source, which stays the same in every subset. Augmentations are drawn by it.
  public func sourceIndex(at position: Int) -> Int { indices.map { Int($0[position]) } ?? position }

  public func label(at position: Int) -> Int { source.label(at: sourceIndex(at: position)) }

  public var labels: [Int] { (0..<count).map(label) }

  /// A copy of one image.
  /// - Throws: A `DatasetError` that names the file, where it cannot be decoded.
  public func image(at position: Int) throws(DatasetError) -> Image {
    var result: Image?
    try source.withImage(at: sourceIndex(at: position)) {
      result = Image(channels: $0.channels, height: $0.height, width: $0.width, bytes: Array($0.bytes))
    }
    return result!
  }

  /// The first samples of each class, in proportion to the classes' sizes, in the order they stand here; at least one of
  /// each class, or where they are fewer than the classes one of each of the largest.
  ///
  /// No seed: the same number gives the same samples in every run.
  /// - Throws: `DatasetError.outOfRange` unless there are so many, and at least one is asked for.
  public func first(_ number: Int) throws(DatasetError) -> Split {
    guard (1...max(count, 1)).contains(number) else {
      throw .outOfRange(what: "the number of samples", value: number, allowed: 1...max(count, 1))
    }
    guard number < count else { return self }
    let labels = labels
    let sizes = classSizes(labels)
    let atLeastOne = sizes.map { min($0, 1) }
    let classCount = atLeastOne.reduce(0, +)
    var left =
      number < classCount
      ? quotas(of: number, among: sizes, atMost: atLeastOne)
      : quotas(of: number, among: sizes, atLeast: atLeastOne, atMost: sizes)
    let chosen = labels.indices.filter { position in
      left[labels[position]] -= 1
      return left[labels[position]] >= 0
    }
    return Split(source, indices: chosen.map { Int32(sourceIndex(at: $0)) })
  }

  /// The samples at some positions, in the order of the list.
  /// - Throws: `DatasetError.outOfRange` for a position that does not exist.
  public func at(_ positions: [Int]) throws(DatasetError) -> Split {
    for position in positions where !(0..<count).contains(position) {
      throw .outOfRange(what: "the position of a sample", value: position, allowed: 0...max(count - 1, 0))
    }
    return Split(source, indices: positions.map { Int32(sourceIndex(at: $0)) })
  }

  /// Splits off samples drawn at random, in proportion to the classes' sizes; one of each class at least is kept. Both
  /// parts keep the order they have here.
  ///
  /// The draw follows from `RandomKey(seed:, for: .selection)` alone.
  /// - Throws: `DatasetError.outOfRange` unless both parts get a sample, `.invalid` where no class has two.
  public func split(holdingOut number: Int, seed: UInt64) throws(DatasetError) -> (kept: Split, heldOut: Split) {
    let labels = labels
    let sizes = classSizes(labels)
    let most = sizes.map { max($0 - 1, 0) }
    let allowed = most.reduce(0, +)
    guard allowed > 0 else {
      throw .invalid(
        what: "holding samples out of \(count)", problem: "each class keeps one to train on, and has no other")
    }
    guard (1...allowed).contains(number) else {
      throw .outOfRange(what: "the number of samples to hold out", value: number, allowed: 1...allowed)
    }
    let quotas = quotas(of: number, among: sizes, atMost: most)
    var members = sizes.map { _ in [Int]() }
    for (position, label) in labels.enumerated() { members[label].append(position) }
    var isHeldOut = [Bool](repeating: false, count: count)
    for label in sizes.indices {
      var random = RandomKey(seed: seed, for: .selection, sample: label).generator()
      for member in random.permutation(of: sizes[label]).prefix(quotas[label]) {
        isHeldOut[members[label][member]] = true
      }
    }
    func part(_ heldOut: Bool) -> Split {
      Split(
        source, indices: isHeldOut.indices.filter { isHeldOut[$0] == heldOut }.map { Int32(sourceIndex(at: $0)) })
    }
    return (part(false), part(true))
  }

  /// A hash of all images and labels in order, in 16 hexadecimal digits. Reads every sample; keep it if it is needed
  /// again.
  public func checksum() throws(DatasetError) -> String {
    var hasher = StableHasher()
    try hash(into: &hasher)
    return hasher.hexadecimal
  }

  func hash(into hasher: inout StableHasher) throws(DatasetError) {
    hasher.combine(count)
    for extent in imageShape.extents { hasher.combine(extent) }
    for position in 0..<count { try source.hashSample(at: sourceIndex(at: position), into: &hasher) }
  }
}

private func classSizes(_ labels: [Int]) -> [Int] {
  var sizes = [Int](repeating: 0, count: (labels.max() ?? -1) + 1)
  for label in labels { sizes[label] += 1 }
  return sizes
}

/// Shares a number out in proportion to sizes, within bounds: each gets its share rounded down, then those furthest below
/// theirs one more each, the first class first among equals.
/// - Precondition: The bounds allow the number, and sizes are at least the upper ones.
private func quotas(of number: Int, among sizes: [Int], atLeast least: [Int]? = nil, atMost most: [Int]) -> [Int] {
  let total = sizes.reduce(0, +)
  // Products of two counts of samples, each below 2^31.
  var quotas = sizes.indices.map { max(least?[$0] ?? 0, min(most[$0], sizes[$0] * number / total)) }
  /// How far a class is below its share, in parts of the total.
  func lack(_ label: Int) -> Int { sizes[label] * number - quotas[label] * total }
  var left = number - quotas.reduce(0, +)
  while left != 0 {
    // One more, or one less where the lower bounds took too many, for each that may, the neediest first.
    let step = left.signum()
    let order = sizes.indices.filter { step > 0 ? quotas[$0] < most[$0] : quotas[$0] > least?[$0] ?? 0 }
      .sorted { (a, b) in
        let (x, y) = (step * lack(a), step * lack(b))
        return x != y ? x > y : a < b
      }
    precondition(!order.isEmpty, "bounds that do not allow the number")
    for label in order.prefix(abs(left)) { quotas[label] += step }
    left = number - quotas.reduce(0, +)
  }
  return quotas
}
