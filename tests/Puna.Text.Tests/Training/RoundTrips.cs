using System.Text;

namespace Puna.Text.Tests.Training;

/// <summary>Texts go through a tokenizer and come back.</summary>
internal static class RoundTrips
{
    /// <summary>Checks random byte strings (ill-formed parts are U+FFFD, as in every text) and random texts in turn.</summary>
    public static void Check(Tokenizer tokenizer, int strings, Func<string, string> expected)
    {
        var random = new Random(9);
        byte[] bytes = new byte[24];
        var ids = new List<int>();
        for (int i = 0; i < strings; i++)
        {
            Span<byte> some = bytes.AsSpan(0, random.Next(bytes.Length));
            random.NextBytes(some);
            string text = i % 2 == 0 ? Encoding.UTF8.GetString(some) : TextArbitrary.Next(random, 8);
            ids.Clear();
            tokenizer.Encode(text, ids);
            string back = tokenizer.Decode(ids.ToArray());
            if (back != expected(text))
            {
                Assert.Equal(expected(text), back);
            }
        }
    }
}
