using Puna.Models.Adapters;
using Puna.Runtime.Chat;
using Puna.Runtime.Filtering;
using Puna.Runtime.Serving;
using Puna.Text;

namespace Puna.Server;

/// <summary>A model that a server answers with.</summary>
public sealed class ServedModel
{
    /// <summary>Prepares a model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="engine">Generates; not owned.</param>
    /// <param name="aliases">Other names that it answers to.</param>
    /// <param name="filter">Judges prompts and replies of conversations, or null.</param>
    /// <param name="bytes">Size of its weights.</param>
    /// <param name="adapters">Adapters beside its weights, by names that are models of their own to those who ask.</param>
    /// <exception cref="Tensors.PunaException">It has no tokenizer, or two models would have one name.</exception>
    public ServedModel(
        string name, Engine engine, IReadOnlyList<string>? aliases = null, IContentFilter? filter = null, long bytes = 0, IReadOnlyDictionary<string, UnmergedAdapter>? adapters = null)
    {
        (Name, Engine, Aliases, Bytes, Adapters) = (name, engine, aliases ?? [], bytes, adapters ?? new Dictionary<string, UnmergedAdapter>());
        foreach (string adapter in Adapters.Keys)
        {
            if (adapter.Length == 0 || adapter == name || Aliases.Contains(adapter, StringComparer.Ordinal))
            {
                throw new Tensors.PunaException($"adapter {adapter}: expected a name of its own, got one of the model's");
            }
        }

        Tokenizer = engine.Model.Tokenizer ?? throw new Tensors.PunaException($"model {name}: expected a tokenizer, got none");
        Chat = engine.Model.Chat?.Format is null ? null : new ChatEngine(engine, filter);
        Constraints = Chat?.Constraints ?? new ReplyConstraints(engine);
        Created = DateTimeOffset.UtcNow;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Other names that it answers to.</summary>
    public IReadOnlyList<string> Aliases { get; }

    /// <summary>Adapters beside its weights, by name.</summary>
    public IReadOnlyDictionary<string, UnmergedAdapter> Adapters { get; }

    /// <summary>Generates.</summary>
    public Engine Engine { get; }

    /// <summary>Conversations, or null where the model has no chat format.</summary>
    public ChatEngine? Chat { get; }

    /// <summary>Constraints for its vocabulary.</summary>
    public ReplyConstraints Constraints { get; }

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Size of its weights in bytes.</summary>
    public long Bytes { get; }

    /// <summary>When it was loaded.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>Whether it answers to a name, be it that of an adapter. Ollama's clients put a tag behind it.</summary>
    public bool Answers(string name) => Has(Plain(name));

    /// <summary>The adapter of a name, or null where the name is the model's own.</summary>
    internal UnmergedAdapter? AdapterOf(string? name) => name is null ? null : Adapters.GetValueOrDefault(Plain(name));

    private bool Has(string name) => name == Name || Aliases.Contains(name, StringComparer.Ordinal) || Adapters.ContainsKey(name);

    // A name may itself end in the tag.
    private string Plain(string name) => !Has(name) && name.EndsWith(":latest", StringComparison.Ordinal) ? name[..^7] : name;
}
