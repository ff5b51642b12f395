namespace Puna.Training.Data;

/// <summary>What is done with one document before it is compared with others: normalise, tell the language, look for evaluation sets, filter, hash. One per thread.</summary>
internal sealed class DocumentScreen(
    TextNormalization normalization, IReadOnlyList<FilterRule> rules, IReadOnlySet<string>? languages, EvaluationOverlap? evaluations, bool exact, bool near)
{
    public const string BadLine = "bad_line";
    public const string Empty = "empty";
    public const string Contaminated = "contaminated";
    public const string OtherLanguage = "language";

    private readonly TextView _view = new();
    private readonly MinHasher? _hasher = near ? new MinHasher() : null;
    private readonly List<ulong> _words = [];

    /// <summary>The outcome for one document.</summary>
    /// <param name="Text">The normalised text.</param>
    /// <param name="Language">Its language.</param>
    /// <param name="Reason">Why it is dropped, or null.</param>
    /// <param name="Hash">Of the whole text, where equal texts are looked for.</param>
    /// <param name="Buckets">MinHash buckets, where similar texts are looked for.</param>
    internal readonly record struct Outcome(string Text, string Language, string? Reason, UInt128? Hash, ulong[] Buckets);

    public Outcome Take(RawDocument document, string? inputLanguage)
    {
        if (document.Problem is not null)
        {
            return Dropped(BadLine);
        }

        string text = normalization.Apply(document.Text);
        if (string.IsNullOrWhiteSpace(text))
        {
            return Dropped(Empty);
        }

        string language = document.Language ?? inputLanguage ?? LanguageIdentifier.Identify(text);
        if (languages?.Contains(language) == false)
        {
            return Dropped(OtherLanguage);
        }

        if (rules.Count > 0)
        {
            _view.Take(text, language);
            if (_view.FirstBroken(rules) is { } broken)
            {
                return Dropped(broken.Code);
            }
        }

        if (evaluations?.IsIn(text, _words) == true)
        {
            return Dropped(Contaminated);
        }

        ulong[] buckets = [];
        if (_hasher is not null)
        {
            ulong[] computed = new ulong[MinHasher.Buckets];
            buckets = _hasher.Compute(text, computed) ? computed : buckets;
        }

        return new Outcome(text, language, null, exact ? TextHash.Strong(text) : null, buckets);
    }

    private static Outcome Dropped(string reason) => new("", LanguageIdentifier.Unknown, reason, null, []);
}
