import Engine
import Foundation
import Testing
import Training

struct LossCase: Decodable, Sendable, CustomTestStringConvertible {
  struct File: Decodable {
    var rows, classes: Int
    var logits, targets, teacher: [Double]
    var cases: [LossCase]
  }
  var name: String
  var loss: Double
  var gradient: [Double]
  var testDescription: String { name }
  static let file = TrainingGolden.read(File.self, "losses")

  var parts: (loss: Loss, distillation: Distillation?) {
    switch name {
    case "cross-entropy": (.crossEntropy, nil)
    case "binary": (.binaryCrossEntropy(threshold: nil), nil)
    case "binary, threshold 0.2": (.binaryCrossEntropy(threshold: 0.2), nil)
    case "distilled, 0.8 at 1": (.crossEntropy, Distillation(weight: 0.8, temperature: 1))
    case "distilled, 0.5 at 4, squared":
      (.crossEntropy, Distillation(weight: 0.5, temperature: 4, scalesBySquare: true))
    default: preconditionFailure("no loss '\(name)'")
    }
  }

  /// The mean of the rows' losses, and its gradient.
  func evaluate(_ logits: [Float]) -> (loss: Double, gradient: [Double]) {
    let file = Self.file
    var gradient = [Float](repeating: 0, count: logits.count)
    var losses = [Double](repeating: 0, count: file.rows)
    let (loss, distillation) = parts
    loss.evaluate(
      logits, file.targets.map { Float($0) }, gradient: &gradient, losses: &losses, rows: file.rows,
      classes: file.classes, scale: 1 / Float(file.rows))
    if let distillation {
      var shares = [Float](repeating: 0, count: logits.count)
      distillation.soften(
        file.teacher.map { Float($0) }, into: &shares, rows: file.rows, classes: file.classes, share: 1, adds: false)
      distillation.mix(
        logits, shares, gradient: &gradient, losses: &losses, rows: file.rows, classes: file.classes,
        scale: 1 / Float(file.rows))
    }
    return (losses.reduce(0, +) / Double(file.rows), gradient.map(Double.init))
  }
}

@Suite("losses")
struct LossTests {
  @Test("each loss and its gradient are what PyTorch and timm give", arguments: LossCase.file.cases)
  func golden(_ golden: LossCase) {
    let found = golden.evaluate(LossCase.file.logits.map { Float($0) })
    #expect(abs(found.loss - golden.loss) < 1e-6 * golden.loss)
    // The gradient is rounded to single precision once.
    #expect(worstDifference(found.gradient, golden.gradient) < 1e-6)
  }

  @Test("each gradient is the slope of its loss", arguments: LossCase.file.cases)
  func slope(_ golden: LossCase) {
    let logits = LossCase.file.logits.map { Float($0) }
    let gradient = golden.evaluate(logits).gradient
    // Logits are single precision, all else is double: a step of 2^-8 is exact there and errs by its square.
    let step: Float = 0x1p-8
    let slopes = logits.indices.map { i in
      var (low, high) = (logits, logits)
      low[i] -= step
      high[i] += step
      return (golden.evaluate(high).loss - golden.evaluate(low).loss) / Double(high[i] - low[i])
    }
    #expect(worstDifference(gradient, slopes) < 1e-4)
  }

  @Test("a loss of logits that are no numbers is none", arguments: [Float.nan, .infinity])
  func notFinite(_ number: Float) {
    for golden in LossCase.file.cases {
      var logits = LossCase.file.logits.map { Float($0) }
      logits[3] = number
      #expect(!golden.evaluate(logits).loss.isFinite)
    }
  }
}
