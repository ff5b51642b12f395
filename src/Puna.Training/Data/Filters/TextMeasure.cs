namespace Puna.Training.Data;

/// <summary>
/// A number that says something about a text (spec training.md 2.2). A word is what stands between white space and has a letter or digit; lengths are UTF-16 units. A share whose denominator is 0 is 0.
/// </summary>
public enum TextMeasure
{
    /// <summary>Words.</summary>
    Words,

    /// <summary>Characters.</summary>
    Characters,

    /// <summary>Mean length of a word without the punctuation around it.</summary>
    MeanWordLength,

    /// <summary>Number signs per word.</summary>
    HashesPerWord,

    /// <summary>Ellipses (three full stops, or one character) per word.</summary>
    EllipsesPerWord,

    /// <summary>Share of the lines that begin with a bullet or a hyphen.</summary>
    BulletLines,

    /// <summary>Share of the lines that end with an ellipsis.</summary>
    EllipsisLines,

    /// <summary>Share of what stands between white space that has a letter.</summary>
    AlphabeticWords,

    /// <summary>How many of the eight most telling stop words of the text's language occur (of English, where the language has no list).</summary>
    StopWords,

    /// <summary>Share of the lines that occurred before.</summary>
    DuplicateLines,

    /// <summary>Share of the characters that are in lines that occurred before.</summary>
    DuplicateLineCharacters,

    /// <summary>Share of the paragraphs that occurred before.</summary>
    DuplicateParagraphs,

    /// <summary>Share of the characters that are in paragraphs that occurred before.</summary>
    DuplicateParagraphCharacters,

    /// <summary>Share of the characters that the most frequent pair of words covers.</summary>
    Top2Gram,

    /// <summary>The same of three words.</summary>
    Top3Gram,

    /// <summary>The same of four words.</summary>
    Top4Gram,

    /// <summary>Share of the characters in runs of five words that occurred before.</summary>
    Duplicate5Grams,

    /// <summary>The same of six words.</summary>
    Duplicate6Grams,

    /// <summary>The same of seven words.</summary>
    Duplicate7Grams,

    /// <summary>The same of eight words.</summary>
    Duplicate8Grams,

    /// <summary>The same of nine words.</summary>
    Duplicate9Grams,

    /// <summary>The same of ten words.</summary>
    Duplicate10Grams,

    /// <summary>Share of the lines that end with <c>. ! ?</c> or a quotation mark.</summary>
    PunctuatedLines,

    /// <summary>Share of the lines of at most 30 characters.</summary>
    ShortLines,

    /// <summary>Line breaks per word.</summary>
    NewlinesPerWord,
}
