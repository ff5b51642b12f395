using System.Text;
using Puna.Runtime.Constraints;

namespace Puna.Fuzz.Targets;

/// <summary>Compiles a constraint from damaged text within small limits and follows its masks.</summary>
internal static class ConstraintUse
{
    private static readonly ConstraintLimits Limits = new()
    {
        MaxDepth = 32,
        MaxNodes = 300,
        MaxBranches = 32,
        MaxStates = 500,
        MaxStringLength = 2_000,
        MaxConfigurations = 50,
        MaxTextDepth = 16,
    };

    private static readonly VocabularyTrie Vocabulary =
        VocabularyTrie.Create([.. Enumerable.Range(0, 256).Select(b => (byte[])[(byte)b]), [], "\":"u8.ToArray(), "ab"u8.ToArray(), "12"u8.ToArray()], [256]);

    /// <summary>Pieces of the language put in anywhere or in the place of other text.</summary>
    public static byte[] Splice(FuzzRandom random, byte[] input, string[] pieces)
    {
        string text = Encoding.UTF8.GetString(input);
        for (int changes = random.Changes(8); changes > 0; changes--)
        {
            int at = random.Below(text.Length + 1), end = random.OneIn(2) ? at : Math.Min(text.Length, at + random.Below(8));
            text = text[..at] + random.Pick<string>(pieces) + text[end..];
        }

        return Encoding.UTF8.GetBytes(text);
    }

    public static void Run(byte[] input, Func<string, VocabularyTrie, ConstraintLimits, ITokenConstraint> compile)
    {
        ConstraintState state = compile(Encoding.UTF8.GetString(input), Vocabulary, Limits).Start();
        uint[] mask = new uint[Vocabulary.Words];
        for (int step = 0; step < 12 && !state.IsFinished; step++)
        {
            state.FillMask(mask);
            int token = -1;
            for (int i = 0; i < Vocabulary.VocabularySize; i++)
            {
                // Some allowed token that follows from the input alone.
                int candidate = (i + (input.Length * 7) + (step * 31)) % Vocabulary.VocabularySize;
                if (candidate != 256 && (mask[candidate >> 5] >> (candidate & 31) & 1) != 0)
                {
                    token = candidate;
                    break;
                }
            }

            if (token < 0)
            {
                return;
            }

            if (!state.TryAccept(token))
            {
                throw new InvalidDataException($"token {token} is in the mask and not accepted");
            }
        }
    }
}
