namespace Puna.Training.Data.Altiplano;

/// <summary>How varied a number of texts is. Words are runs of letters and digits, in lower case; shares are between 0 and 1.</summary>
/// <param name="Texts">How many texts.</param>
/// <param name="DistinctTexts">How many different ones.</param>
/// <param name="Words">How many words.</param>
/// <param name="Vocabulary">How many different words.</param>
/// <param name="Sentences">How many sentences.</param>
/// <param name="DistinctSentences">Different sentences per sentence.</param>
/// <param name="UniqueFirstSentences">Share of the texts whose first sentence begins no other text.</param>
/// <param name="Distinct2">Different pairs of words per pair.</param>
/// <param name="Distinct4">Different runs of four words per run.</param>
/// <param name="SharedEightGrams">Share of the runs of eight words that occur in another text too.</param>
public sealed record VarietyReport(
    int Texts, int DistinctTexts, long Words, int Vocabulary, long Sentences, double DistinctSentences, double UniqueFirstSentences, double Distinct2, double Distinct4, double SharedEightGrams);
