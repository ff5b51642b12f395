namespace Puna.Training.Data.Altiplano;

/// <summary>Phrasings of beginnings.</summary>
internal static class OpeningTables
{
    public static readonly string[] Onces =
    [
        "Once upon a time, {there was|there lived} a [h.noun] {named|called} [h.n] in {the village of [v]|[v]|a stone house in [v]}",
        "Once upon a time, in {the village of [v]|the small village of [v]|the mountain village of [v]}, there {was|lived} a [h.noun] {named|called} [h.n]",
        "Once upon a time, a [h.noun] {named|called} [h.n] lived {at the edge of|near the well of|in the last house of|in the middle of|in} [v]",
        "Once upon a time, there was a {small|quiet|windy|little} village called [v], and in it lived a [h.noun] {named|called} [h.n]",
        "Once upon a time, high {in the mountains|on the plain|above the clouds}, a [h.noun] called [h.n] lived in {a village named [v]|the village of [v]}",
        "Once upon a time, everybody in [v] knew a [h.noun] {named|called} [h.n]",
        "Once upon a time, there was a [h.noun] {named|called} [h.n] who lived in [v] and [work]",
    ];

    /// <summary>Beginnings with something that somebody did. <c>[day]</c> stands where they speak of one day, <c>[dark]</c> where the sun is not seen, <c>[home]</c> where they name the hero's village.</summary>
    public static readonly string[] Mornings =
    [
        "[day]{One morning|Early one morning|One [adj] morning|One day}, [h] {got up with the first birds|woke up early|lit the fire and looked outside|swept the yard|went to the well for water|sat by the door and ate some bread}",
        "[day][h] {woke up|opened the door|was up} {before sunrise[dark]|when the first birds sang|before it was light[dark]}",
        "[day]{When|As soon as} [dawn], [h] {was already at work|stepped out of the house|opened the gate of the yard}",
        "[day]It was {early in the morning|still dark[dark]|almost noon|a quiet morning} when [h] {came out of the house|heard a knock at the door|sat down to think|began the day's work}",
        "[day]{On the first day of the week|On the day after the full moon|Three days before the market|In the middle of the week}, [h] {made a plan|got up early|had a lot to do|could not sleep}",
        "[day]That {day|morning|week} began like any other for [h]",
        "{Nobody|Not one person} in [v] {got up earlier than [h]|worked harder than [h]|knew the hills better than [h]}",
        "{Last|One} [season], something {happened to [h]|strange happened to [h]} that {people still talk|the neighbours still talk|everybody in [v] still talks} about",
        "[day]The first thing [h] {heard that {morning|day} was {a rooster on a wall|the wind in the roof|a bell far away|a dog that barked behind the house}|saw that {morning|day} was {smoke over the houses|a cat on the wall|a child with a jug|a big bird on the roof}}",
        "[day][h] had {just|only just} {lit the fire|finished breakfast|put on a hat|milked the goats|filled the water jars|come back from the field|sat down by the door} when {the day began to turn strange|[dawn]|the story began|the bells of [v] rang}",
        "[day]{On a [adj] {morning|afternoon|evening[dark]}|One {Monday|Tuesday|Friday|Sunday} morning|Late one afternoon|A week before the feast}, [h] {walked through the streets of [v]|came home from the fields|stood at the window|was mending an old coat|carried two buckets of water across the yard|leaned on the wall and thought}",
        "{People|The neighbours} {often asked|wondered} why [h] {smiled so much|got up so early|talked to animals|always carried a rope}",
        "[h] {liked|loved} {the early morning|the smell of rain|the evenings by the fire|long roads|quiet days|the sound of bells} {more than anything else|best of all}",
        "[home]{This is the story of|Listen to what happened to} [h]{, who lived in [v]| of [v]}",
        "[h] {would never forget that day[day]|always remembered that day[day]|told this story for many years}",
        "[day]{\"Is it morning already?\"|\"What a day!\"|\"There is so much to do today,\"} {said [h]|said [h.n]} and {put on a warm hat|opened the door|got out of bed}",
    ];

    public static readonly string[] Portraits =
    [
        "[h] was a [h.noun] {who lived in|from|in} [v]",
        "{In|In the village of} [v] {there lived|lived} a [h.noun] {named|called} [h.n]",
        "In [v], {where the wind never sleeps|far from any town|under the white mountain|at the end of the road|between two hills}, lived a [h.noun] {named|called} [h.n]",
        "{Long ago|Many years ago|Not long ago|When the road was still new}, a [h.noun] {named|called} [h.n] lived in [v]",
        "There was once a [h.noun] {named|called} [h.n] {in [v]|who lived in [v]}",
        "[h], a [h.noun] from [v], [work]",
        "A [h.noun] {named|called} [h.n] lived in {the last|the smallest|the oldest|a white} house of [v]",
    ];

    public static readonly string[] Who =
    [
        "[h.he] was a [h.noun] {who lived in|from} [v]",
        "[h.he] lived in {the village of [v]|[v]} and [work]", "[h.he] lived in [v], a village of {ten|twenty|thirty|forty|fifty} houses",
        "Like {most people|everybody} in [v], [h.he] {did not have much|was used to hard work|lived simply|got up early}", "[h.p] house stood {beside|behind|opposite} {the well|the chapel|the bakery|the old tree|the school} of [v]", "[h.he] came from a family of {herders|weavers|traders|farmers|potters} in [v]", "[h.he] was {a [h.noun] and lived|the [h.child] of a {herder|weaver|farmer|trader} and lived} in [v]",
        "[v], the village where [h.he] lived, {lay at the foot of a mountain|was small and quiet|had one street and one well}",
    ];

    public static readonly string[] Llamas =
    [
        "[h] had a [L.colour] llama {named|called} [L.name]",
        "[h.p] best friend was a [L.colour] llama {named|called} [L.name]",
        "[h] {owned|kept} {one llama, a [L.colour] one|a [L.colour] llama} called [L.name]",
        "In [h.p] yard lived a [L.colour] llama {named|called} [L.name]",
        "[L.name], [h.p] [L.colour] llama, followed [h.him] everywhere",
        "{Of all [h.his] animals|Of all the llamas}, [h] loved [L.name], a [L.colour] {one|llama}, the most",
        "[h.p] llama was [L.colour], and its name was [L.name]",
    ];

    /// <summary>The same where the llama is to be seen.</summary>
    public static readonly string[] LlamasSeen =
    [
        "[L.name], [h.p] [L.colour] llama, {was waiting at the gate|was already awake|stood in the yard and chewed}",
        "In [h.p] yard stood a [L.colour] llama {named|called} [L.name]",
        "At the gate stood [L.name], [h.p] [L.colour] llama, and {waited|looked over the wall}",
    ];

    public static string Temper(string temper) => temper switch
    {
        "gentle" => "{[L.name] was gentle and never kicked anybody|It was a gentle animal that let children ride on its back}",
        "stubborn" => "{[L.name] was as stubborn as a stone|It was a stubborn animal that walked only when it wanted to}",
        "shy" => "{[L.name] was shy and hid behind [h.o] when strangers came|It was a shy animal that did not like noise}",
        "curious" => "{[L.name] was curious and put its nose into every bag|It was a curious animal that looked into every house}",
        "lazy" => "{[L.name] was lazy and lay down whenever it could|It was a lazy animal that loved the warm wall of the house}",
        "proud" => "{[L.name] was proud and held its head very high|It was a proud animal that did not like to be touched}",
        "greedy" => "{[L.name] was greedy and would eat anything, even a hat|It was a greedy animal that was always looking for something to eat}",
        "clever" => "{[L.name] was clever and could open gates|It was a clever animal that knew every path}",
        "calm" => "{[L.name] was calm and feared nothing|It was a calm animal, even in thunder}",
        _ => "{[L.name] was playful and liked to jump over low walls|It was a playful animal that ran after birds}",
    };
}
