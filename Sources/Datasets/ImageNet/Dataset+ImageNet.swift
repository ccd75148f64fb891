import Tensors

extension Dataset {
  /// Opens ImageNet (ILSVRC 2012), or a set of images that lies as it does. Labels are places among the WordNet numbers
  /// of its classes, compared byte by byte, as torchvision and timm count them.
  ///
  /// What lies in the folder tells the form:
  /// - `train/` and `val/` (or `validation/`) with a subfolder per class; `val/` may hold all images, with their labels in
  ///   one of the files that `LabelFile` knows;
  /// - the tar files as they are handed out, `ILSVRC2012_img_train.tar` and `ILSVRC2012_img_val.tar`;
  /// - WebDataset's shards, `…train-000000.tar` and `…val-000000.tar`, or in `train/` and `val/`.
  ///
  /// Archives are read in place. `train` may be absent. What was found is kept in `.reprise-index` beside the data, or else
  /// in the user's cache folder, and holds until an archive, a folder of images or a label file changes.
  ///
  /// Images are decoded when a batch needs them, to the bytes of Pillow's `convert("RGB")`; a broken one is then reported
  /// by name. The contents tell the format, not the name.
  ///
  /// - Parameters:
  ///   - size: Height and width of images to train on. Pixels.
  ///   - testSize: The same of those to measure on; `size` where nil.
  ///   - transform: How images are shown that no augmentation frames.
  ///   - isOriented: Whether the EXIF orientation is followed.
  ///   - cacheFolder: For an index that cannot lie beside the data; nil keeps none there.
  ///   - indexing: Called before folders and archives are gone through, which may take minutes.
  ///   - isInterrupted: Asked before each folder and each member of an archive. No index is kept once it is true.
  /// - Throws: `DatasetError`; `.interrupted` where it was.
  public static func imageNet(
    at path: String, size: Int = 224, testSize: Int? = nil, transform: TestTransform = TestTransform(),
    isOriented: Bool = false, cacheFolder: String? = imageNetCacheFolder, indexing: () -> Void = {},
    isInterrupted: () -> Bool = { false }
  ) throws(DatasetError) -> Dataset {
    let testSize = testSize ?? size
    for (what, value) in [("the size", size), ("the size to measure at", testSize)] {
      guard (1...4096).contains(value) else { throw .outOfRange(what: what, value: value, allowed: 1...4096) }
    }
    guard transform.crop > 0, transform.crop <= 1, transform.edge(for: testSize) <= 1 << 15 else {
      throw .invalid(
        what: "a crop of \(transform.crop)", problem: "it is the share of the shorter side, above 0 and at most 1")
    }
    let root = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let layout = try ImageNetLayout(at: root, isInterrupted: isInterrupted)
    let stamps = try layout.stamps(isInterrupted: isInterrupted)
    let cache = IndexCache(root: root, stamps: stamps, folder: cacheFolder)
    let index: ImageNetIndex
    if let kept = cache.read() {
      index = kept
    } else {
      indexing()
      index = try ImageNetIndex(of: layout, isInterrupted: isInterrupted)
      try DatasetError.check(isInterrupted)
      cache.write(index)
    }
    func split(_ part: ImageIndex, _ size: Int) -> Split {
      Split(
        IndexedImages(
          root: root, index: part, shape: [3, size, size], transform: transform, isOriented: isOriented))
    }
    var data = Dataset(
      name: root.split(separator: "/").last.map(String.init) ?? root, classes: index.classes,
      train: split(index.train, size), validation: split(index.validation, testSize), normalization: .imageNet)
    data.transform = transform
    return data
  }

  /// Where an index goes that cannot lie beside the data: `$XDG_CACHE_HOME/reprise`, or `~/.cache/reprise`.
  public static var imageNetCacheFolder: String? { IndexCache.userFolder }
}
