public import Tensors

/// What can go wrong with data: facts about files and requests; `description` and `hint` put them into words.
public enum DatasetError: Error, Hashable, Sendable {
  /// There is no such file or folder. `package` is the Debian package that would bring it.
  case missing(path: String, package: String?)
  /// The system would not open or read a file, or there is no memory for it.
  case unreadable(TensorError)
  case notAFolder(path: String)
  case empty(path: String)
  /// A file that ends early: bytes that its header promises, bytes that are there.
  case truncated(path: String, expected: Int, found: Int)
  /// Bytes after the end of what the header promises.
  case trailingBytes(path: String, expected: Int)
  case wrongMagic(path: String, expected: String, found: String)
  case malformed(path: String, problem: String)
  case countsDiffer(images: String, imageCount: Int, labels: String, labelCount: Int)
  case labelOutOfRange(path: String, index: Int, label: Int, classCount: Int)
  /// A folder without a subfolder of images.
  case noClasses(path: String)
  /// Folders that should be classes, and hold no image.
  case emptyClasses(names: [String], path: String)
  /// A folder without the images of ImageNet in any form that is known.
  case notImageNet(path: String)
  /// Images to measure on without classes, and no file that tells their labels.
  case noLabels(path: String)
  /// Labels by the numbers of the development kit, and no file that tells which class is which.
  case noClassNumbers(path: String)
  /// A class of the validation set that the training set does not have.
  case unknownClass(name: String, path: String)
  /// A name that is not UTF-8, shown with the wrong bytes replaced.
  case nameNotUTF8(path: String)
  /// An image that cannot be decoded.
  case undecodable(path: String, reason: String)
  /// A request outside what there is, such as more samples than the set has.
  case outOfRange(what: String, value: Int, allowed: ClosedRange<Int>)
  /// A request that cannot be met, such as images of two channels.
  case invalid(what: String, problem: String)
  /// Somebody wanted the work to stop.
  case interrupted
}

extension DatasetError {
  /// Throws `.interrupted` where somebody wants the work to stop.
  static func check(_ isInterrupted: () -> Bool) throws(DatasetError) { if isInterrupted() { throw .interrupted } }
}

extension DatasetError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path, _): path.isEmpty ? "the path is empty" : "\(path) does not exist"
    case .unreadable(let error): "\(error)"
    case .notAFolder(let path): "\(path) is not a folder"
    case .empty(let path): "\(path) contains no images"
    case .truncated(let path, let expected, let found): "\(path) is truncated: it has \(found) of \(expected) bytes"
    case .trailingBytes(let path, let expected): "\(path) is longer than the \(expected) bytes that its header announces"
    case .wrongMagic(let path, let expected, let found): "\(path) starts with \(found), so it is not \(expected)"
    case .malformed(let path, let problem): "\(path): \(problem)"
    case .countsDiffer(let images, let imageCount, let labels, let labelCount):
      "\(images) has \(imageCount) images, but \(labels) has \(labelCount) labels"
    case .labelOutOfRange(let path, let index, let label, let classCount):
      "\(path): sample \(index) has the label \(label), but there are \(classCount) classes, 0 to \(classCount - 1)"
    case .noClasses(let path): "\(path) has no subfolder with images"
    case .emptyClasses(let names, let path):
      "\(path) has \(names.count == 1 ? "a class" : "\(names.count) classes") without an image: "
        + names.prefix(3).map { "\($0)/" }.joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    case .notImageNet(let path): "\(path) contains no validation images of ImageNet"
    case .noLabels(let path): "the validation images in \(path) have no labels: they are not in one folder per class"
    case .noClassNumbers(let path): "\(path) uses class numbers whose order no file defines"
    case .unknownClass(let name, let path): "\(path) has the class '\(name)', which the training set does not have"
    case .nameNotUTF8(let path): "the name of \(path) is not UTF-8"
    case .undecodable(let path, let reason): "\(path) cannot be decoded: \(reason)"
    case .outOfRange(let what, let value, let allowed):
      "\(what) is \(value), outside of \(allowed.lowerBound) to \(allowed.upperBound)"
    case .invalid(let what, let problem): "\(what) is invalid: \(problem)"
    case .interrupted: "interrupted"
    }
  }

  /// What would help, where that is known.
  public var hint: String? {
    switch self {
    case .missing(_, let package?): "apt-get install \(package), or name the folder where it is"
    case .missing: "check the path: it is relative to the folder that reprise was started in, or absolute"
    case .noClasses: "a folder of images has one subfolder per class, or train/ and val/ with such subfolders"
    case .emptyClasses: "images end in .jpg, .jpeg, .png, .bmp, .webp or .gif; remove folders that are no classes"
    case .truncated: "the download or the copy is incomplete; fetch it again"
    case .notImageNet:
      "name the folder that holds train/ and val/, ILSVRC2012_img_val.tar, or shards such as imagenet-val-000000.tar"
    case .noLabels:
      "put val.txt (name and label), imagenet_2012_validation_synset_labels.txt, LOC_val_solution.csv or ILSVRC2012_validation_ground_truth.txt beside them"
    case .noClassNumbers:
      "put meta.mat or map_clsloc.txt of the development kit beside it, or other labels: val.txt, LOC_val_solution.csv"
    case .nameNotUTF8: "rename it"
    case .undecodable: "fetch the file again, or remove it from the dataset; Reprise does not skip images that it cannot decode"
    default: nil
    }
  }

  /// Whether data that was asked for is not here, rather than broken.
  public var isMissingData: Bool { if case .missing = self { true } else { false } }
}
