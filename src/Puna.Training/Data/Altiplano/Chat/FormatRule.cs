namespace Puna.Training.Data.Altiplano;

/// <summary>The form that a reply has to have.</summary>
public enum FormatRule
{
    /// <summary>So many lines, each with one thing of a list, none twice.</summary>
    Lines,

    /// <summary>So many things of a list, separated by commas, none twice.</summary>
    Commas,

    /// <summary>Numbered lines, <c>1.</c> to the last, each with one thing of a list, none twice.</summary>
    Numbered,

    /// <summary>Exactly so many words.</summary>
    WordCount,

    /// <summary>Capital letters only, and the words of the list.</summary>
    Capitals,

    /// <summary>One word, the one of the list, with or without a full stop.</summary>
    OneWord,

    /// <summary>Begins with the first entry of the list and is longer than it.</summary>
    BeginsWith,

    /// <summary>Ends with the first entry of the list and is longer than it.</summary>
    EndsWith,

    /// <summary>A JSON object with just the keys and values of the list, key after value.</summary>
    Json,

    /// <summary>Exactly the first entry of the list.</summary>
    Exactly,
}
