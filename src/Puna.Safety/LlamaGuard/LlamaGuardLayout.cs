namespace Puna.Safety.LlamaGuard;

/// <summary>Two published ways to write the same question. Models were trained close to both; scores differ a little.</summary>
public enum LlamaGuardLayout
{
    /// <summary>As the chat templates that come with the models have it, and llama-stack: contents trimmed, the ordinary message frame.</summary>
    Template,

    /// <summary>As Meta's llama-recipes write it: a space behind every category of versions 2 and 3, spaces instead of blank lines around the body, <c>[INST]</c> also for version 2.</summary>
    Recipes,
}
