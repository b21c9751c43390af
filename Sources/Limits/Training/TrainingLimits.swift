import Experiments
import Training

/// All limits of models in training.
package enum TrainingLimits {
  package static let all: [LimitEntry<TrainingModel>] = [
    infiniteWidth, kernelTraining, residualTraining, meanFieldTraining, marchenkoPastur,
  ]
}
