using System.Net;

namespace Puna.Hub;

/// <summary>Says what a refusal of the hub means, and what to do about it.</summary>
internal static class HubFailure
{
    private const string TokenHint = "in the variable HF_TOKEN or the file ~/.cache/huggingface/token";

    /// <summary>The exception for an answer that is neither the file nor worth another attempt.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="reference">The model asked for.</param>
    /// <param name="file">The file asked for, or null for the list of files.</param>
    /// <param name="hasToken">Whether a token went along.</param>
    /// <param name="endpoint">The hub.</param>
    public static HubException Of(HubResponse response, ModelReference reference, string? file, bool hasToken, Uri endpoint)
    {
        string code = response.ErrorCode;
        string host = endpoint.IsDefaultPort ? endpoint.Host : $"{endpoint.Host}:{endpoint.Port}";
        if (response.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            // The hub answers 401 for names that do not exist too, so as not to tell which private ones do.
            string page = $"{endpoint.AbsoluteUri.TrimEnd('/')}/{reference.Id}";
            string help = hasToken
                ? $"the token given may not read it: accept its licence at {page}, or check the token and the name"
                : $"it is gated or private, or the name is wrong: accept its licence at {page} and give a token ({TokenHint})";
            return new HubException(HubErrorKind.AccessDenied, $"model {reference.Id}: {host} refused access (HTTP {(int)response.Status}); {help}");
        }

        if (response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            string what = file is not null || code.Contains("EntryNotFound", StringComparison.OrdinalIgnoreCase)
                ? $"file '{file ?? reference.File}' of model {reference.Id}"
                : code.Contains("RevisionNotFound", StringComparison.OrdinalIgnoreCase) ? $"revision '{reference.Revision}' of model {reference.Id}"
                : reference.Revision == ModelReference.DefaultRevision ? $"model {reference.Id}"
                : $"model {reference.Id} at revision '{reference.Revision}'";
            return new HubException(HubErrorKind.NotFound, $"{what}: not found on {host}");
        }

        string name = file is null ? $"model {reference.Id}" : $"file {file} of {reference.Id}";
        return new HubException(HubErrorKind.BadAnswer, $"{name}: expected HTTP 200, got {(int)response.Status} ({response.Host})");
    }
}
