internal import CKernels
public import Datasets
internal import Engine
public import Networks
public import Tensors

/// How a network learns from another's answers (Hinton et al. 2015, arXiv:1503.02531):
/// `(1 − c) · loss + c · KL(teacher ‖ student)`, of softmax at a temperature.
public struct Distillation: Hashable, Sendable, Codable {
  /// `c`. SuperGradients: 0.8.
  public var weight = 0.8
  /// What both networks' logits are divided by.
  public var temperature = 1.0
  /// Whether the divergence is multiplied by the square of the temperature, as Hinton et al. advise; SuperGradients
  /// does not.
  public var scalesBySquare = false

  public init(weight: Double = 0.8, temperature: Double = 1, scalesBySquare: Bool = false) {
    (self.weight, self.temperature, self.scalesBySquare) = (weight, temperature, scalesBySquare)
  }

  var problem: String? {
    if !(weight >= 0 && weight <= 1) { return "a distillation's weight is from 0 to 1, not \(weight)" }
    return temperature > 0 && temperature.isFinite ? nil : "a temperature is positive, not \(temperature)"
  }

  /// Turns logits into shares, `share · softmax(logits / temperature)`. On the engine's thread.
  package func soften(
    _ logits: UnsafePointer<Float>, into shares: UnsafeMutablePointer<Float>, rows: Int, classes: Int, share: Float,
    adds: Bool
  ) {
    rk_softmax(logits, shares, Int64(rows), Int64(classes), Float(temperature), share, adds ? 1 : 0)
  }

  /// Mixes the divergence from the teacher's shares into each row's loss and into the gradient. On the engine's thread.
  package func mix(
    _ logits: UnsafePointer<Float>, _ shares: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    losses: UnsafeMutablePointer<Double>, rows: Int, classes: Int, scale: Float
  ) {
    let distillation = rk_distillation(
      temperature: Float(temperature), weight: Float(weight),
      factor: Float(scalesBySquare ? temperature * temperature : 1))
    rk_distill(logits, shares, gradient, losses, Int64(rows), Int64(classes), distillation, scale)
  }
}

/// A trained network that another learns from.
public struct Teacher: Sendable {
  public var network: Network
  public var weights: Weights
  /// What its images are normalized with; nil as the student's are.
  public var normalization: Normalization?

  public init(_ network: Network, _ weights: Weights, normalization: Normalization? = nil) {
    (self.network, self.weights, self.normalization) = (network, weights, normalization)
  }
}

/// Asks teachers about what a student sees, mixed and augmented as it is; several answer with the mean of their softmax.
final class Distiller {
  let rule: Distillation
  private let plans: [(plan: Plan, answer: Plan.Prepared<Void>)]
  private let memory: AlignedBuffer
  /// `N K`.
  var shares: UnsafeMutablePointer<Float> { memory.floats }

  /// - Parameter normalization: the student's.
  init(_ rule: Distillation, _ teachers: [Teacher], of student: Plan, _ normalization: Normalization, engine: Engine)
    throws(TrainingError)
  {
    let (rows, shape) = (student.batch, student.network.shape(of: student.network.input))
    let classes = student.network.shape(of: student.network.output).elementCount
    do { memory = try AlignedBuffer(byteCount: rows * classes * 4) } catch { throw .tensor(error) }
    let shares = memory.floats
    var plans: [(plan: Plan, answer: Plan.Prepared<Void>)] = []
    for (i, teacher) in teachers.enumerated() {
      try teacher.network.mustFit(images: shape)
      let own = teacher.network.shape(of: teacher.network.output).elementCount
      guard own == classes else { throw .classes(network: own, data: classes) }
      let plan = try Training.engine { () throws(EngineError) in
        let plan = try engine.compile(
          teacher.network, batch: rows, mode: .inference,
          precision: teacher.network.isQuantized ? .float32 : student.precision)
        try plan.load(teacher.weights)
        return plan
      }
      let (factors, terms) = normalization.change(to: teacher.normalization ?? normalization)
      let answer = plan.prepare { execution in
        rk_rescale_planes(
          student.input.baseAddress, plan.input.baseAddress, Int64(rows), Int64(shape[0]), Int64(shape[1] * shape[2]),
          factors, terms)
        execution.forward()
        rule.soften(
          plan.logits.baseAddress!, into: shares, rows: rows, classes: classes, share: 1 / Float(teachers.count),
          adds: i > 0)
      }
      plans.append((plan, answer))
    }
    (self.rule, self.plans) = (rule, plans)
  }

  /// Fills `shares` for what the student's input holds.
  func answer() throws(EngineError) { for (_, answer) in plans { try answer() } }
}

extension Normalization {
  /// For each channel the factor and the term that bring a normalized number to another normalization.
  fileprivate func change(to other: Normalization) -> (factors: [Float], terms: [Float]) {
    let channels = mean.indices
    return (
      channels.map { std[$0] / other.std[$0] },
      channels.map { (mean[$0] - other.mean[$0]) / other.std[$0] }
    )
  }
}
