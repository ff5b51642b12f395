using Puna.Text.HuggingFace;
using Puna.Text.Splitting;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text.Conversion;

/// <summary>Finds out whether a byte-level vocabulary is one of tiktoken's, written as tokens and merges.</summary>
internal static class RankEquivalent
{
    /// <summary>
    /// The number of ranks, or null: the split must be that of Llama 3 or Llama 4 (and the number must lead back to it), parts that are tokens must be taken whole, ordinary tokens
    /// must come first without a hole, the special tokens must be where Meta has them, and the merges must be exactly those that follow from the ranks.
    /// </summary>
    public static int? Of(ByteLevelTokenizer tokenizer)
    {
        TokenizerParts parts = tokenizer.Parts;
        TokenTable tokens = parts.Vocabulary.Tokens;
        TiktokenFamily? family = parts.Splitter.Scanner switch
        {
            Llama3Scanner => TiktokenFamily.Llama3,
            Llama4Scanner => TiktokenFamily.Llama4,
            _ => null,
        };
        if (family is null || !parts.IgnoreMerges || !parts.Normalizer.IsIdentity || parts.AddPrefixSpace || parts.Unknown >= 0)
        {
            return null;
        }

        int count = 0;
        while (count < tokens.Count && tokens.Exists(count) && tokens.Find(tokens[count]) == count)
        {
            count++;
        }

        TiktokenFamily read = count == 200_000 ? TiktokenFamily.Llama4 : TiktokenFamily.Llama3;
        IReadOnlyList<string> names = TiktokenSpecials.Names(read);
        if (read != family || tokenizer.VocabularySize > count + names.Count || tokenizer.VocabularySize < count || !AllBytes(tokens))
        {
            return null;
        }

        // Reserved tokens may have other names; those with a meaning must be where they are.
        foreach (AddedToken token in parts.Added)
        {
            if (token.Id < count || token.Normalized || (!token.Content.Contains("reserved", StringComparison.Ordinal) && !Named(names, token.Content, token.Id - count)))
            {
                return null;
            }
        }

        return SameMerges(parts.Vocabulary, count) ? count : null;
    }

    private static bool Named(IReadOnlyList<string> names, string name, int index)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
            {
                return i == index;
            }
        }

        return false;
    }

    private static bool AllBytes(TokenTable tokens)
    {
        for (int i = 0; i < 256; i++)
        {
            if (tokens.Find([(byte)i]) < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameMerges(MergeVocabulary vocabulary, int count)
    {
        (List<int> left, List<int> right) = MergeDerivation.FromRanks(vocabulary.Tokens);
        PairTable merges = vocabulary.Merges;
        if (left.Count != merges.Count)
        {
            return false;
        }

        for (int i = 0; i < left.Count; i++)
        {
            if (merges.Left(i) != left[i] || merges.Right(i) != right[i] || merges.Merged(i) >= count)
            {
                return false;
            }
        }

        return true;
    }
}
