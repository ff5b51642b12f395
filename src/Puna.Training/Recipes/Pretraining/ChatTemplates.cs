namespace Puna.Training.Recipes.Pretraining;

/// <summary>The chat template that goes with models trained here on turns in the frame of Llama 3 (spec llama1-3.md 6.3).</summary>
internal static class ChatTemplates
{
    /// <summary>A header, the text and an end mark per message.</summary>
    public const string Llama3 =
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
}
