using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Puna.Server.Http;

/// <summary>The keys that requests must bring. Kept as hashes, and compared in a time that does not depend on where they differ.</summary>
internal sealed class ApiKeys
{
    private readonly byte[][] _hashes;

    /// <summary>Prepares to check keys.</summary>
    /// <param name="keys">None lets everybody in.</param>
    public ApiKeys(IEnumerable<string> keys) => _hashes = [.. keys.Distinct(StringComparer.Ordinal).Select(Hash)];

    /// <summary>Number of keys.</summary>
    public int Count => _hashes.Length;

    /// <summary>Whether a request brings one.</summary>
    /// <param name="request">The request: <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>.</param>
    /// <param name="owner">Tells one key from another without saying it; empty where there are no keys.</param>
    public bool Admits(HttpRequest request, out string owner)
    {
        owner = "";
        if (_hashes.Length == 0)
        {
            return true;
        }

        string? header = request.Headers.Authorization;
        string? given = header?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? header[7..] : request.Headers["x-api-key"];
        if (given is null)
        {
            return false;
        }

        byte[] hash = Hash(given);
        bool found = false;
        foreach (byte[] known in _hashes)
        {
            found |= CryptographicOperations.FixedTimeEquals(known, hash);
        }

        owner = found ? Convert.ToHexString(hash, 0, 8) : "";
        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
