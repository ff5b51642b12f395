using System.Text;
using Puna.Text.Tiktoken;

namespace Puna.Fuzz.Targets;

/// <summary>A file of tiktoken ranks.</summary>
public sealed class RankFileTarget : IFuzzTarget
{
    private static readonly string[] _lines = [.. Enumerable.Range(0, 256).Select(static b => $"{Convert.ToBase64String([(byte)b])} {b}")];
    private static readonly string[] _noise = ["", " ", "x", "=", "==", "-1", "256", "4294967296", "YQ==", "YWI=", "YWI", "\t", "\0", "YQ== 1 2", new string('A', 8000)];

    /// <inheritdoc/>
    public string Name => "ranks";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Join([.. _lines, "YWI= 256", "ICA= 257", "YWFh 258", "4paB 259"]),
        Join([.. _lines.Reverse(), "", "YWI= 256", ""]),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input) => TokenizerUse.All(TiktokenTokenizer.Read(input, "fuzz.model", input.Length % 2 == 0 ? TiktokenFamily.Llama3 : TiktokenFamily.Llama4));

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        List<string> lines = [.. Encoding.ASCII.GetString(input).Split('\n')];
        for (int changes = random.Changes(5); changes > 0; changes--)
        {
            int index = random.Below(lines.Count);
            string[] parts = lines[index].Split(' ');
            lines[index] = random.Below(6) switch
            {
                0 => random.Pick<string>(_noise),
                1 => $"{parts[0]} {random.Interesting(256)}",
                2 => $"{Convert.ToBase64String(random.Bytes(random.Below(6)))} {parts[^1]}",
                3 => $"{parts[0]}{random.Pick<string>(_noise)} {parts[^1]}",
                4 => lines[random.Below(lines.Count)],
                _ => $"{Convert.ToBase64String(Encoding.UTF8.GetBytes(random.Pick("aa", "ab", "  ", "\n\n", "é", "<|")))} {parts[^1]}",
            };
            if (random.OneIn(3))
            {
                lines.Add($"{Convert.ToBase64String(random.Bytes(1 + random.Below(5)))} {lines.Count - random.Below(3)}");
            }
        }

        return Join([.. lines]);
    }

    private static byte[] Join(string[] lines) => Encoding.ASCII.GetBytes(string.Join('\n', lines));
}
