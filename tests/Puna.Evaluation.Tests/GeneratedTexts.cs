namespace Puna.Evaluation.Tests;

/// <summary>
/// Texts that nobody wrote: each word is drawn from those that follow the two before it in some sample texts. The generator is its own, so that a seed gives the same texts on
/// every version of the runtime.
/// </summary>
internal sealed class GeneratedTexts
{
    private readonly Dictionary<(string, string), List<string>> _next = [];
    private ulong _state;

    /// <summary>Learns which words follow which.</summary>
    public GeneratedTexts(IEnumerable<string> samples, ulong seed)
    {
        _state = seed;
        foreach (string sample in samples)
        {
            (string, string) last = ("", "");
            foreach (string word in (string[])[.. sample.Split(' ', StringSplitOptions.RemoveEmptyEntries), ""])
            {
                if (!_next.TryGetValue(last, out List<string>? words))
                {
                    _next.Add(last, words = []);
                }

                words.Add(word);
                last = (last.Item2, word);
            }
        }
    }

    /// <summary>Some texts, each until a sample might have ended or it is long enough.</summary>
    public string[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Text())];

    private string Text()
    {
        const int Longest = 120;
        var text = new List<string>();
        (string, string) last = ("", "");
        while (text.Count < Longest)
        {
            List<string> words = _next[last];
            string word = words[Below(words.Count)];
            if (word.Length == 0)
            {
                break;
            }

            text.Add(word);
            last = (last.Item2, word);
        }

        return string.Join(' ', text);
    }

    private int Below(int limit)
    {
        // SplitMix64.
        ulong z = _state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return (int)((z ^ (z >> 31)) % (ulong)limit);
    }
}
