namespace Fleet.Training;

/// <summary>How the weights of an exported model came about.</summary>
/// <param name="Model">The model's name, "fmnist".</param>
/// <param name="Command">The command line, without paths.</param>
/// <param name="Seed">Of weights and batches.</param>
/// <param name="Epochs">Passes over the training images.</param>
/// <param name="TrainImages">How many there were.</param>
public sealed record TrainingRecord(string Model, string Command, int Seed, int Epochs, int TrainImages);
