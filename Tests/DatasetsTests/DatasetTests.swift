import Datasets
import Tensors
import Testing

/// Grey images of any size, as a folder's: a level for each.
private struct Levels: ImageSource {
  let count: Int
  var imageShape: Shape
  func label(at index: Int) -> Int { index % 3 }
  func showing(_ shape: Shape) -> (any ImageSource)? { Levels(count: count, imageShape: shape) }
  func withImage(at index: Int, _ body: (ImageView) -> Void) {
    let bytes = [UInt8](repeating: UInt8(index % 256), count: imageShape.elementCount)
    bytes.withUnsafeBufferPointer {
      body(ImageView(channels: 1, height: imageShape[1], width: imageShape[2], bytes: $0))
    }
  }
}

@Suite struct DatasetTests {
  /// A dataset whose settings are all different from what they are by themselves.
  private var data: Dataset {
    var data = Dataset(
      name: "levels", classes: ["a", "b", "c"], train: Split(Levels(count: 90, imageShape: [1, 8, 8])),
      validation: Split(Levels(count: 30, imageShape: [1, 12, 10])),
      normalization: Normalization(mean: [0.3], std: [0.7]))
    data.transform = TestTransform(crop: 0.9, filter: .bicubic)
    return data
  }

  @Test("a dataset made of a dataset keeps its settings, and shows images for evaluation at the same size")
  func derived() throws {
    func settings(_ data: Dataset) -> [String: String] {
      Dictionary(
        uniqueKeysWithValues: Mirror(reflecting: data).children.compactMap { child in
          // The name says what was done, and the sets are what is made again.
          child.label.flatMap { ["name", "train", "validation"].contains($0) ? nil : ($0, "\(child.value)") }
        })
    }
    let derived = [
      try data.limited(train: 9), try data.limited(validation: 6), try data.holdingOut(15, seed: 1),
      try data.holdingOut(15, seed: 1).limited(train: 12, validation: 3),
      try data.limited(train: 60).holdingOut(6, seed: 2).holdingOut(6, seed: 3),
    ]
    #expect(settings(data).count >= 3)
    for other in derived {
      #expect(settings(other) == settings(data))
      #expect(other.train.imageShape == [1, 8, 8] && other.validation.imageShape == [1, 12, 10])
      #expect(try other.validation.image(at: 0).shape == [1, 12, 10])
    }
  }

  @Test("what is held out is no longer trained on")
  func heldOut() throws {
    let held = try data.holdingOut(15, seed: 1)
    #expect(held.train.count == 75 && held.validation.count == 15)
    let kept = Set((0..<75).map(held.train.sourceIndex))
    #expect(kept.isDisjoint(with: (0..<15).map(held.validation.sourceIndex)))
    #expect(throws: DatasetError.self) { try data.holdingOut(90, seed: 1) }
  }
}
