using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Training.Data.Altiplano;

/// <summary>The Altiplano world as documents of tokens: stories and primers between the beginning and the end of a text, or conversations in the frame of the tokenizer's chat format.</summary>
public sealed class AltiplanoStream : ITokenStream
{
    private readonly Tokenizer _tokenizer;
    private readonly ulong _seed;
    private readonly SplitPart _part;
    private readonly ChatFormat? _chat;
    private readonly AltiplanoTexts _texts;
    private readonly string _source;
    private long _position;

    /// <summary>Creates a stream.</summary>
    /// <param name="tokenizer">Makes the ids.</param>
    /// <param name="seed">Of the world.</param>
    /// <param name="part">What to train on, or what is held out.</param>
    /// <param name="texts">What of the world.</param>
    /// <exception cref="PunaException">The tokenizer has no beginning or end of text, or no tokens for conversations.</exception>
    public AltiplanoStream(Tokenizer tokenizer, ulong seed, SplitPart part, AltiplanoTexts texts)
    {
        (_tokenizer, _seed, _part) = (tokenizer, seed, part);
        _source = $"altiplano {texts} {seed} {part}";
        _texts = texts;
        if (texts == AltiplanoTexts.Chats)
        {
            _chat = Llama3ChatFormat.Llama31;
            if (tokenizer.IdOf("<|start_header_id|>") is null)
            {
                throw new PunaException("tokenizer: expected the tokens of Llama 3's conversations, got none");
            }
        }
        else if (tokenizer.BosId is null || tokenizer.EosId is null)
        {
            throw new PunaException("tokenizer: expected a beginning and an end of text, got none");
        }
    }

    /// <inheritdoc/>
    public StreamState State
    {
        get => StreamState.Plain(_source, _position);
        set => _position = value.Source == _source && value.Position >= 0 ? value.Position : throw new PunaException($"state of a stream: expected one of '{_source}', got '{value.Source}'");
    }

    /// <inheritdoc/>
    public void Next(TokenDocument document)
    {
        document.Clear();
        long index = AltiplanoSplit.Index(_part, _position++);
        if (_chat is null)
        {
            string text = _texts == AltiplanoTexts.Stories ? StoryTeller.Tell(_seed, index).Text : Primer.Tell(_seed, index);
            document.Add([_tokenizer.BosId!.Value]);
            document.Add(_tokenizer.Encode(text));
            document.Add([_tokenizer.EosId!.Value]);
            document.TextBytes = System.Text.Encoding.UTF8.GetByteCount(text);
            return;
        }

        // Every token is learned, those of the person too: their texts are stories and questions of the same world.
        IReadOnlyList<ChatMessage> messages = AltiplanoChat.Create(_seed, index).Messages;
        document.Add(_chat.Encode(messages, _tokenizer, addGenerationPrompt: false));
        document.TextBytes = messages.Sum(static m => System.Text.Encoding.UTF8.GetByteCount(m.Content));
    }
}
