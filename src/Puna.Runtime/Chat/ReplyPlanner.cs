using Puna.Runtime.Constraints;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>Decides how replies are constrained and read: tools, tool choice, response format. Thread-safe.</summary>
internal sealed class ReplyPlanner
{
    private const ToolFormats JsonCalls = ToolFormats.Json | ToolFormats.JsonList;
    private const int LongestName = 128;

    private readonly ReplyConstraints _constraints;
    private readonly Lazy<CallTokens> _tokens;
    private readonly IReadOnlyList<int> _stops;
    private readonly int[] _codeStarts;
    private readonly int? _codeEnd;

    /// <summary>Prepares for a model.</summary>
    /// <param name="constraints">Where constraints come from.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="vocabulary">Tokens of the model.</param>
    /// <param name="stops">Tokens that end a reply.</param>
    public ReplyPlanner(ReplyConstraints constraints, Tokenizer tokenizer, int vocabulary, IReadOnlyList<int> stops)
    {
        (_constraints, _stops) = (constraints, stops);
        _tokens = new Lazy<CallTokens>(() => new CallTokens(tokenizer, vocabulary, stops));
        _codeStarts = [.. new[] { "<|python_tag|>", "<|python_start|>" }.Select(tokenizer.IdOf).OfType<int>()];
        _codeEnd = tokenizer.IdOf("<|python_end|>");
    }

    /// <summary>The plan for a request.</summary>
    /// <exception cref="PunaException">The tools, the choice among them or the format are wrong; the message says how.</exception>
    public ReplyPlan Plan(ChatRequest request, CancellationToken cancel)
    {
        Check(request);
        CompileAllowance allowance = _constraints.Cache.Allow();
        ITokenConstraint? format = _constraints.Of(request.Format, allowance, cancel);
        ReplyPlan plan = request.Tools.Count == 0 || request.ToolChoice == ToolChoiceMode.None ? new ReplyPlan(format, null, ToolFormats.None, true) : PlanCalls(request, format, allowance, cancel);
        return plan with { StopIds = _stops, CodeStarts = _codeStarts, CodeEnd = _codeEnd };
    }

    /// <summary>Tokens that begin a call by themselves.</summary>
    public IReadOnlyList<int> CallTokenIds => _codeStarts;

    private ReplyPlan PlanCalls(ChatRequest request, ITokenConstraint? format, CompileAllowance allowance, CancellationToken cancel)
    {
        ToolDefinition[] allowed = [.. request.Tools.Where(tool => request.AllowedTools is null || request.AllowedTools.Contains(tool.Name))];
        ToolSignature[] signatures = [.. allowed.Select(static tool => ChatEngine.Declare(tool).Signature())];
        if (request.ToolChoice == ToolChoiceMode.Required)
        {
            return new ReplyPlan(Calls(allowed, single: !request.ParallelToolCalls, allowance, cancel), signatures, JsonCalls, request.ParallelToolCalls);
        }

        if (format is not null)
        {
            // The reply is what the format wants, or calls.
            return new ReplyPlan(UnionConstraint.Of([format, Calls(allowed, single: !request.ParallelToolCalls, allowance, cancel)]), signatures, JsonCalls, request.ParallelToolCalls);
        }

        return Array.Exists(allowed, static tool => tool.IsStrict)
            ? new ReplyPlan(new StrictCallConstraint(Calls(allowed, single: true, allowance, cancel), _tokens.Value, request.ParallelToolCalls), signatures, ToolFormats.Json, request.ParallelToolCalls)
            : new ReplyPlan(null, signatures, ToolFormats.All, request.ParallelToolCalls);
    }

    private ITokenConstraint Calls(ToolDefinition[] tools, bool single, CompileAllowance allowance, CancellationToken cancel)
    {
        string schema = CallSchema.Of([.. tools.Select(tool => (tool.Name, Usable(tool, allowance, cancel)))], single);
        try
        {
            return _constraints.Cache.Get(ReplyFormatKind.JsonSchema, schema, cancel, allowance);
        }
        catch (PunaException e)
        {
            throw new InvalidSchemaException(InvalidSchemaException.Tools, e.Message, e);
        }
    }

    /// <summary>The schema of a tool's arguments. One that is not strict and cannot be compiled takes any object.</summary>
    private string? Usable(ToolDefinition tool, CompileAllowance allowance, CancellationToken cancel)
    {
        if (tool.Parameters is null)
        {
            return "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}";
        }

        try
        {
            _constraints.Cache.Get(ReplyFormatKind.JsonSchema, tool.Parameters, cancel, allowance);
            return tool.Parameters;
        }
        catch (PunaException e) when (tool.IsStrict)
        {
            throw new InvalidSchemaException(InvalidSchemaException.Tools, $"tool {tool.Name}: parameters: {e.Message}", e);
        }
        catch (PunaException)
        {
            return null;
        }
    }

    private static void Check(ChatRequest request)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ToolDefinition tool in request.Tools)
        {
            if (tool.Name.Length is 0 or > LongestName || tool.Name.AsSpan().ContainsAnyExcept(NameLetters))
            {
                string shown = tool.Name.Length > LongestName ? tool.Name[..LongestName] + "..." : tool.Name;
                throw new PunaException($"tool name: expected 1 to {LongestName} letters, digits, dots, dashes or underscores, got '{shown}'");
            }

            if (!names.Add(tool.Name))
            {
                throw new PunaException($"tool {tool.Name}: expected tools of different names, got two of this one");
            }
        }

        if (request.ToolChoice == ToolChoiceMode.Required && request.Tools.Count == 0)
        {
            throw new PunaException("tool choice: expected tools to choose from, got none");
        }

        if (request.AllowedTools is null)
        {
            return;
        }

        if (request.AllowedTools.Count == 0)
        {
            throw new PunaException("tool choice: expected at least one tool that may be called, got none");
        }

        foreach (string name in request.AllowedTools)
        {
            if (!names.Contains(name))
            {
                throw new PunaException($"tool choice: expected one of the tools, got '{(name.Length > LongestName ? name[..LongestName] + "..." : name)}'");
            }
        }
    }

    private static readonly System.Buffers.SearchValues<char> NameLetters =
        System.Buffers.SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.");
}
