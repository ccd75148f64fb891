/// The rule by which logits name a class: one for all that counts or shows predictions.
///
/// The prediction is the class of the largest logit, of equal ones the first, as `argmax` of PyTorch and NumPy has it.
/// Where a logit is `nan` there is none, so the sample counts as wrong, whatever its label. Infinite logits stand in
/// their order.
public enum Prediction {
  /// The class that a row of logits names; nil where one of them is `nan`, or there are none.
  public static func top1(of logits: some RandomAccessCollection<Float>) -> Int? {
    var (best, place): (Float, Int?) = (0, nil)
    for (index, logit) in logits.enumerated() {
      if logit.isNaN { return nil }
      if place == nil || logit > best { (best, place) = (logit, index) }
    }
    return place
  }

  /// How many classes are named before a label: 0 for the prediction itself; nil where there is no prediction.
  static func rank(of label: Int, in logits: some RandomAccessCollection<Float>) -> Int? {
    let target = logits[logits.index(logits.startIndex, offsetBy: label)]
    var ahead = 0
    for (index, logit) in logits.enumerated() {
      if logit.isNaN { return nil }
      if logit > target || logit == target && index < label { ahead += 1 }
    }
    return ahead
  }
}
