namespace Puna.Training.Data;

/// <summary>Published sets of rules with their published bounds (spec training.md 2.2): Gopher (Rae et al. 2021, arXiv 2112.11446, table A1) and FineWeb (Penedo et al. 2024, arXiv 2406.17557).</summary>
public static class FilterPresets
{
    /// <summary>Names of the sets.</summary>
    public static IReadOnlyList<string> Names { get; } = ["gopher_quality", "gopher_repetition", "fineweb"];

    /// <summary>The rules of a set, or null where there is none of this name.</summary>
    public static IReadOnlyList<FilterRule>? Find(string name) => name switch
    {
        "gopher_quality" =>
        [
            new("gopher_words", TextMeasure.Words, 50, 100_000),
            new("gopher_word_length", TextMeasure.MeanWordLength, 3, 10),
            new("gopher_hashes", TextMeasure.HashesPerWord, Max: 0.1),
            new("gopher_ellipses", TextMeasure.EllipsesPerWord, Max: 0.1),
            new("gopher_bullet_lines", TextMeasure.BulletLines, Max: 0.9),
            new("gopher_ellipsis_lines", TextMeasure.EllipsisLines, Max: 0.3),
            new("gopher_alphabetic", TextMeasure.AlphabeticWords, 0.8),
            new("gopher_stop_words", TextMeasure.StopWords, 2),
        ],
        "gopher_repetition" =>
        [
            new("gopher_duplicate_paragraphs", TextMeasure.DuplicateParagraphs, Max: 0.3),
            new("gopher_duplicate_paragraph_characters", TextMeasure.DuplicateParagraphCharacters, Max: 0.2),
            new("gopher_duplicate_lines", TextMeasure.DuplicateLines, Max: 0.3),
            new("gopher_duplicate_line_characters", TextMeasure.DuplicateLineCharacters, Max: 0.2),
            new("gopher_top_2_gram", TextMeasure.Top2Gram, Max: 0.2),
            new("gopher_top_3_gram", TextMeasure.Top3Gram, Max: 0.18),
            new("gopher_top_4_gram", TextMeasure.Top4Gram, Max: 0.16),
            new("gopher_duplicate_5_grams", TextMeasure.Duplicate5Grams, Max: 0.15),
            new("gopher_duplicate_6_grams", TextMeasure.Duplicate6Grams, Max: 0.14),
            new("gopher_duplicate_7_grams", TextMeasure.Duplicate7Grams, Max: 0.13),
            new("gopher_duplicate_8_grams", TextMeasure.Duplicate8Grams, Max: 0.12),
            new("gopher_duplicate_9_grams", TextMeasure.Duplicate9Grams, Max: 0.11),
            new("gopher_duplicate_10_grams", TextMeasure.Duplicate10Grams, Max: 0.10),
        ],
        "fineweb" =>
        [
            new("fineweb_punctuated_lines", TextMeasure.PunctuatedLines, 0.12),
            new("fineweb_short_lines", TextMeasure.ShortLines, Max: 0.67),
            new("fineweb_duplicate_line_characters", TextMeasure.DuplicateLineCharacters, Max: 0.01),
            new("fineweb_newlines", TextMeasure.NewlinesPerWord, Max: 0.3),
        ],
        _ => null,
    };
}
