namespace Puna.Text.Training;

/// <summary>Hears how far the training of a tokenizer is, on the thread that trains.</summary>
/// <param name="stage">What is being done.</param>
/// <param name="done">How much is done: bytes read, merges found.</param>
/// <param name="total">How much there is, or null where nobody knows.</param>
public delegate void TrainingProgress(string stage, long done, long? total);
