namespace Puna.Training.Recipes.Pretraining;

/// <summary>A byte-level BPE tokenizer to be trained on the texts of the data before the model is.</summary>
/// <param name="VocabSize">Tokens, control tokens included.</param>
/// <param name="Documents">Documents to train on.</param>
public sealed record TokenizerSection(int VocabSize, int Documents = 5000);
