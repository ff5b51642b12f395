using Microsoft.Extensions.AI;
using Puna.Runtime.Chat;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace Puna.Extensions.AI;

/// <summary>What all updates of a response have in common.</summary>
/// <param name="responseId">Identifies the response.</param>
/// <param name="messageId">Identifies its message.</param>
/// <param name="modelId">The model.</param>
/// <param name="createdAt">When the response began.</param>
internal sealed class UpdateStamp(string responseId, string messageId, string modelId, DateTimeOffset createdAt)
{
    private bool _isFirst = true;

    /// <summary>An update; the first says whose message it is.</summary>
    public ChatResponseUpdate Update(ChatEvent found, IList<AIContent> contents)
    {
        var update = new ChatResponseUpdate
        {
            Role = _isFirst ? ChatRole.Assistant : null,
            Contents = contents,
            ResponseId = responseId,
            MessageId = messageId,
            ModelId = modelId,
            CreatedAt = createdAt,
            RawRepresentation = found,
        };
        _isFirst = false;
        return update;
    }
}
