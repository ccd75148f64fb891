import Datasets
import Tensors
import Testing

@Suite struct SplitTests {
  let data: Dataset
  init() throws { data = try Dataset.synthetic(classes: 3, shape: [1, 8, 8], train: 100, validation: 10) }

  @Test("the first of each class are taken, and smaller subsets lie in larger ones")
  func first() throws {
    let ten = try data.train.first(10)
    #expect(ten.count == 10)
    #expect((0..<3).map { label in ten.labels.count { $0 == label } } == [4, 3, 3])
    #expect((0..<10).map(ten.sourceIndex) == Array(0..<10))
    let three = try data.train.first(3)
    #expect(Set((0..<3).map(three.sourceIndex)).isSubset(of: (0..<10).map(ten.sourceIndex)))
    #expect(try data.train.first(100).checksum() == data.train.checksum())
    #expect(try ten.first(10).checksum() == ten.checksum())
  }

  @Test("a part held out and the rest are the whole, and follow from the seed")
  func heldOut() throws {
    let (kept, heldOut) = try data.train.split(holdingOut: 20, seed: 1)
    #expect(kept.count == 80 && heldOut.count == 20)
    let numbers = (0..<80).map(kept.sourceIndex) + (0..<20).map(heldOut.sourceIndex)
    #expect(numbers.sorted() == Array(0..<100))
    #expect(try data.train.split(holdingOut: 20, seed: 1).heldOut.checksum() == heldOut.checksum())
    #expect(try data.train.split(holdingOut: 20, seed: 2).heldOut.checksum() != heldOut.checksum())
    #expect(try heldOut.image(at: 3) == data.train.image(at: heldOut.sourceIndex(at: 3)))
  }

  @Test("more than there is cannot be had", arguments: [-1, 0, 101])
  func bounds(_ number: Int) {
    #expect(throws: DatasetError.outOfRange(what: "the number of samples", value: number, allowed: 1...100)) {
      try data.train.first(number)
    }
    #expect(throws: DatasetError.self) { try data.limited(train: number) }
    #expect(throws: DatasetError.self) { try data.train.split(holdingOut: number == 101 ? 100 : number, seed: 0) }
  }

  /// Labels alone, so that classes can have any sizes.
  private struct Labels: ImageSource {
    let labels: [Int]
    let imageShape: Shape = [1, 1, 1]
    var count: Int { labels.count }
    func label(at index: Int) -> Int { labels[index] }
    func withImage(at index: Int, _ body: (ImageView) -> Void) throws(DatasetError) {}
    func hashSample(at index: Int, into hasher: inout StableHasher) throws(DatasetError) { hasher.combine(index) }
  }

  private static func sizes(_ split: Split, _ classes: Int) -> [Int] {
    split.labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1] += 1 }
  }

  @Test(
    "whatever is held out or taken, each class keeps a training image, and its share within one where that leaves one",
    arguments: [
      [50, 1, 1, 1], [1, 1, 1, 97], [2, 2], [3, 0, 5], [1, 2, 3, 4, 5, 6, 7], [1000, 1, 10, 100], [7], [1, 1, 2],
      [13, 13, 13, 1, 1], [5, 0, 0, 1],
    ])
  func stratified(_ sizes: [Int]) throws {
    // Classes take turns as long as they last.
    let labels = (0..<(sizes.max() ?? 0)).flatMap { turn in sizes.indices.filter { sizes[$0] > turn } }
    let split = Split(Labels(labels: labels))
    let classes = sizes.count { $0 > 0 }
    let total = labels.count
    for number in 1..<total {
      guard number <= total - classes else {
        #expect(throws: DatasetError.self) { try split.split(holdingOut: number, seed: 1) }
        continue
      }
      let (kept, heldOut) = try split.split(holdingOut: number, seed: 1)
      let (left, out) = (Self.sizes(kept, sizes.count), Self.sizes(heldOut, sizes.count))
      #expect(heldOut.count == number && zip(left, out).map(+) == sizes)
      for label in sizes.indices where sizes[label] > 0 {
        #expect(left[label] >= 1)
        // Those with one image give theirs to none, so the others give a little more.
        let share = Double(sizes[label] * number) / Double(total)
        #expect(Double(out[label]) >= min(Double(sizes[label] - 1), share.rounded(.down)), "\(label) of \(number)")
      }
    }
    var before: Set<Int> = []
    for number in 1...total {
      let first = try split.first(number)
      let taken = Self.sizes(first, sizes.count)
      #expect(first.count == number)
      #expect(taken.count { $0 > 0 } == min(number, classes), "\(taken)")
      if number <= classes {
        let positions = Set((0..<number).map(first.sourceIndex))
        #expect(before.isSubset(of: positions))
        before = positions
      }
    }
  }

  @Test("where no class has two samples, none can be held out") func noneToSpare() throws {
    let split = Split(Labels(labels: [0, 1, 2]))
    #expect {
      try split.split(holdingOut: 1, seed: 0)
    } throws: { error in
      "\(error)".contains("each class keeps one to train on")
    }
  }

  @Test("the checksum tells other images, other labels and another order")
  func checksum() throws {
    let other = try Dataset.synthetic(classes: 3, shape: [1, 8, 8], train: 100, validation: 10, seed: 1)
    #expect(try data.checksum() != other.checksum())
    #expect(try data.train.checksum() != data.limited(train: 99).train.checksum())
    let again = try Dataset.synthetic(classes: 3, shape: [1, 8, 8], train: 100, validation: 10)
    #expect(try data.checksum() == again.checksum())
  }
}

@Suite struct SyntheticTests {
  @Test(
    "drawn images have the wanted shape and classes",
    arguments: [([1, 28, 28], 10), ([3, 32, 16], 2), ([4, 8, 9], 64)] as [(Shape, Int)])
  func shapes(_ shape: Shape, _ classes: Int) throws {
    let data = try Dataset.synthetic(classes: classes, shape: shape, train: 2 * classes, validation: classes)
    #expect(data.imageShape == shape && data.classes.count == classes)
    #expect(try data.train.image(at: 1).shape == shape)
    #expect(data.train.labels == Array(0..<classes) + Array(0..<classes))
  }

  @Test("a classifier by nearest mean spectrum does far better than chance")
  func learnable() throws {
    // Stripes of random phase have no mean image, so compare how much neighbours differ, across and down.
    func features(_ image: Image) -> [Double] {
      [1, 2, 3, 5].flatMap { step in
        [step, step * 28].map { offset in
          zip(image.bytes, image.bytes.dropFirst(offset)).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) }
            / 1e4
        }
      }
    }
    let data = try Dataset.synthetic(train: 1000, validation: 300)
    var means = [[Double]](repeating: Array(repeating: 0, count: 8), count: 10)
    for i in 0..<1000 {
      let own = features(try data.train.image(at: i))
      for j in 0..<8 { means[data.train.label(at: i)][j] += own[j] / 100 }
    }
    var correct = 0
    for i in 0..<300 {
      let own = features(try data.validation.image(at: i))
      let distances = means.map { zip($0, own).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      if distances.firstIndex(of: distances.min()!) == data.validation.label(at: i) { correct += 1 }
    }
    #expect(correct > 150)
  }

  @Test("what cannot be drawn is refused")
  func refused() {
    #expect(throws: DatasetError.outOfRange(what: "the number of classes", value: 1, allowed: 2...64)) {
      try Dataset.synthetic(classes: 1)
    }
    for shape in [[28, 28], [0, 28, 28], [1, 4, 28], [1, 28, 5000]] as [Shape] {
      #expect(throws: DatasetError.self) { try Dataset.synthetic(shape: shape) }
    }
    #expect(throws: DatasetError.self) { try Dataset.synthetic(noise: .nan) }
    #expect(throws: DatasetError.self) { try Dataset.synthetic(train: 0) }
    #expect(throws: DatasetError.self) { try Dataset.synthetic(shape: [4, 1024, 1024], train: 10_000_000) }
  }
}
