import Compression
import Datasets
import Engine
import MadeImages
import ModelZoo
import Networks
import Tensors
import Testing
import Training

private let engine = Result { try Engine(threads: 2) }

/// A MobileNet that was trained for a moment on classes that a plane separates, so that it learns them on every processor.
struct TrainedSample {
  let network: Network
  let weights: Weights
  let data: Dataset

  static let shared = Result { try TrainedSample() }
  private init() throws {
    data = StripedImages.dataset(train: 600, validation: 200)
    network = try MobileNetV1(width: 0.25).network(input: [1, 16, 16], classes: 4)
    var plan = TrainingPlan()
    (plan.epochs, plan.batchSize, plan.learningRate) = (6, 32, 0.05)
    weights = try Trainer(engine: engine.get()).train(network, on: data, plan).weights
  }

  func pruner(_ change: (inout PruningSettings) -> Void = { _ in }) throws -> ChannelPruner {
    var settings = PruningSettings()
    settings.images = 100
    change(&settings)
    return try ChannelPruner(
      network, weights, on: data.train, normalization: data.normalization, settings, engine: engine.get())
  }

  func accuracy(_ network: Network, _ weights: Weights) throws -> Evaluation {
    try Evaluator(engine: engine.get()).evaluate(
      network, weights, on: data.validation, normalization: data.normalization)
  }
}
