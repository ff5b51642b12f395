using System.Security.Cryptography;

namespace Puna.Server.Http;

/// <summary>Names for answers, which nobody can guess.</summary>
internal static class Ids
{
    private const string Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>A prefix and 24 letters and digits.</summary>
    public static string New(string prefix) => prefix + RandomNumberGenerator.GetString(Letters, 24);
}
