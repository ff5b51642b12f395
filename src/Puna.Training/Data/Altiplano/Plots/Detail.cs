namespace Puna.Training.Data.Altiplano;

/// <summary>Small things seen on the way, chosen by weather and season so that they fit the world. No plot depends on them.</summary>
internal static class Detail
{
    /// <summary>Perhaps tells something of the way.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="percent">How often.</param>
    /// <param name="llama">Whether the hero's llama is there.</param>
    public static void OnTheWay(Scene scene, int percent = 50, bool llama = true)
    {
        if (!scene.Dice.Chance(percent))
        {
            return;
        }

        if (llama && scene.Llama is { Introduced: true } && scene.Dice.Chance(35))
        {
            scene.OneOf(
                "[L] {stopped at every green leaf|walked slowly but never stumbled|hummed as llamas do when they are content|kept its ears up all the way}",
                "{Now and then|From time to time}, [L] {stopped and looked around|pulled at the rope|turned its head to see whether [h] was still there}");
            return;
        }

        switch (scene.World.Weather)
        {
            case Weather.Rain:
                scene.OneOf("The path was {muddy|slippery}, and {every step was hard work|water ran between the stones}", "Water {dripped from [h.p] hat|ran down [h.p] neck}", "Frogs were {singing|calling} {in the wet grass|by the road}");
                break;
            case Weather.Wind:
                scene.OneOf("The wind {threw sand into [h.p] eyes|pushed from behind like a hand|whistled between the stones}", "A {hat|dry bush} {rolled|flew} past {along the road|like a bird}");
                break;
            case Weather.Snow or Weather.Frost:
                scene.OneOf("{The snow|The frozen grass} cracked under {every step|[h.p] feet}", "[h.p] {fingers|ears|toes} were {cold|red with cold}", "The air was so cold that it {hurt|stung}");
                break;
            case Weather.Fog:
                scene.OneOf("The stones along the way looked like {sleeping animals|old men}", "In the fog, every sound {seemed near|came from nowhere}", "[h] could see only {ten|twenty} steps ahead");
                break;
            default:
                scene.OneOf(
                    "A {condor|hawk} {circled|hung} {high above|over the valley}", "{Two|Three|A few} wild vicunas {looked up and ran away|were drinking at a pool|stood on a ridge}", "The grass {shone like gold|moved in the wind|smelled of {dust|flowers|the sun}}",
                    "{Far away|In the distance}, the {white|snowy} {peaks|mountains} {shone|stood in a row}", "Pink birds {stood in the shallow water|flew over}", "{An old stone wall|A line of cactus} ran beside the path");
                break;
        }
    }
}
