"""What callers say, labelled before the patterns were written, and no error allowed. A line of a table is one utterance."""

from collections.abc import Callable, Iterator

import pytest

from voiceagent.call.wishes import agrees, asks_for_a_person, declines, is_upset, was_misunderstood
from voiceagent.languages import LANGUAGES

Wish = Callable[[str], bool]
Table = dict[str, tuple[str, str]]

# Language → requests for a person, and other words about people.
PERSON: Table = {
    "en": (
        """
        I want a human.
        Can I talk to a real person?
        Could I please speak with someone?
        let me speak to your manager
        I'd like to talk to a human being, please!
        Give me an agent now
        get me a person
        Representative.
        Operator, please
        a real person please
        Just a human
        I need a human
        I want to speak to a customer service representative
        Thank you, now I would like to speak to a person, please.
        put me through to somebody
        Please transfer me.
        connect me with support
        is there anybody there
        Is there a person I can talk to?
        No, I'd prefer a human
        I can't find it. I want to speak to a person.
        You don't understand me, can I talk to someone else?
        customer service
        Can you put a human on the phone?
        I'd rather speak to a person
        I don't want to talk to a robot, I want a person.
        Can I get a human please?
        Is there someone else I can talk to?
        I want to talk to somebody who can actually help me
        Speak to an agent
        Talk to a human
        Let me talk to a supervisor.
        Can a real person help me?
        Can someone else help me with this?
        Yes, a person please.
        I've been trying to speak to a person for twenty minutes
        I'm not talking to a machine, get me a real human
        Human. Human. Human.
        I want to talk to a person about my order, not to you
        Are there any humans there I could talk to?
        Do you have anyone I can speak with?
        Can you transfer the call to an agent?
        Enough of this, customer support please
        I need to speak with your supervisor right now
        """,
        """
        I'm only human.
        It was human error
        Are you a human?
        Am I talking to a machine?
        Am I talking to a real person?
        Am I speaking to a person or a computer?
        I don't want to talk to a person.
        I do not need a human, just tell me where it is.
        No need to put me through, thanks
        I don't want a person
        No, I don't need a person
        Yes, I already spoke to a person
        The delivery person left it at the door
        The person who packed it forgot the socks
        I spoke to an agent yesterday
        I talked to someone last week and they said Monday
        Can you talk to someone in the warehouse about it?
        I will come in person
        How much is it per person?
        It's a gift for someone
        I need it for a person who is tall
        somebody stole my parcel
        Could somebody call me back tomorrow at two in the afternoon?
        I'd like someone to call me back on Monday
        My travel agent ordered it
        What are your people doing
        Where is my order?
        I want a jacket for my wife
        Can I do this without talking to a person?
        I hate talking to people
        I'd rather not speak to anyone
        Please don't transfer me again
        Why did they connect me to the wrong department yesterday?
        The money transfer is not through
        My manager needs the invoice
        I need someone's signature for the delivery
        Is the delivery person going to ring?
        You sound like a real person
        The operator of the website is called Northwind, right?
        I was talking to my husband, sorry
        …
        """,
    ),
    "de": (
        """
        Ich möchte mit einem Menschen sprechen.
        Kann ich bitte mit einem Mitarbeiter reden?
        Ich will mit jemandem sprechen
        Verbinden Sie mich bitte
        Können Sie mich mit jemandem verbinden?
        einen Menschen, bitte
        Ich möchte einen Menschen sprechen
        Geben Sie mir einen Mitarbeiter
        Kann ich einen Mitarbeiter haben?
        Mitarbeiter
        Ich will einen echten Menschen
        Kann ich Ihren Vorgesetzten sprechen?
        Kundenservice, bitte
        Gibt es da jemanden, mit dem ich reden kann?
        Könnten Sie mich bitte weiterverbinden?
        Ich brauche einen Menschen am Telefon
        """,
        """
        Ich möchte nicht mit einem Menschen sprechen
        Ich bin auch nur ein Mensch
        Das Paket ist für einen Mitarbeiter
        Ich habe gestern mit einem Mitarbeiter gesprochen
        Ich brauche keinen Menschen, danke
        Spreche ich mit einem Menschen?
        Sind Sie ein Mensch?
        Der Mensch von der Post hat geklingelt
        Sie müssen mich nicht verbinden
        Wie ist das mit der Lieferung verbunden?
        Pro Person kostet es zehn Euro
        Kann mich morgen jemand zurückrufen?
        """,
    ),
    "es": (
        """
        Quiero hablar con una persona
        ¿Puedo hablar con alguien?
        páseme con un agente
        Necesito un agente
        Me gustaría hablar con un humano
        Quiero que me atienda una persona
        ¿Me puede comunicar con un asesor?
        ¿Me puede pasar con alguien?
        Una persona, por favor
        Operadora
        Prefiero hablar con una persona real
        Quiero hablar con su supervisor
        ¿Hay alguien con quien pueda hablar?
        """,
        """
        No quiero hablar con una persona
        Ayer hablé con una persona
        No necesito un agente, gracias
        ¿Estoy hablando con una persona?
        ¿Es usted una persona?
        La persona que lo entregó no llamó
        Es para una persona alta
        Prefiero no hablar con nadie
        Ya hablé con un agente y me dijo que el lunes
        ¿Me puede llamar alguien mañana?
        Es un regalo para alguien
        """,
    ),
    "fr": (
        """
        Je voudrais parler à quelqu'un
        Je veux parler à un conseiller
        passez-moi un responsable
        Je veux parler à un être humain
        Un conseiller, s'il vous plaît
        Est-ce que je peux avoir quelqu'un au téléphone ?
        Je peux avoir un conseiller ?
        Je préfère parler à une vraie personne
        Mettez-moi en relation avec un agent
        Pouvez-vous me passer quelqu'un ?
        Je voudrais parler avec votre responsable
        Service client
        """,
        """
        Je ne veux pas parler à quelqu'un
        J'ai parlé à un conseiller hier
        Je n'ai pas besoin d'un conseiller
        Est-ce que je parle à une vraie personne ?
        Est-ce que vous êtes une personne ?
        C'est pour quelqu'un de grand
        Personne n'est venu livrer
        La personne qui a livré n'a pas sonné
        Quelqu'un peut me rappeler demain ?
        C'est combien par personne ?
        Je préfère ne parler à personne
        """,
    ),
    "it": (
        """
        Vorrei parlare con una persona
        posso parlare con un operatore
        Mi passi un operatore
        Voglio parlare con un essere umano
        Operatore
        Una persona, per favore
        Mi può passare qualcuno?
        C'è qualcuno con cui posso parlare?
        Voglio un operatore
        Preferisco parlare con una persona vera
        Posso parlare con il responsabile?
        Mi metta in contatto con il servizio clienti
        """,
        """
        Non voglio parlare con una persona
        Ho già parlato con un operatore
        Non ho bisogno di un operatore
        Sto parlando con una persona?
        Lei è una persona?
        È un regalo per qualcuno
        La persona che ha consegnato non ha suonato
        Qualcuno mi può richiamare domani?
        Quanto costa a persona?
        Preferisco non parlare con nessuno
        Sono solo un essere umano
        """,
    ),
    "pt": (
        """
        Quero falar com um atendente
        queria falar com alguém
        Me passa para um atendente
        Posso falar com uma pessoa de verdade?
        Preciso de um atendente
        Atendente
        Uma pessoa, por favor
        Pode me transferir para alguém?
        Quero ser atendido por uma pessoa
        Tem alguém com quem eu possa falar?
        Prefiro falar com um ser humano
        Eu quero falar com o gerente
        """,
        """
        Não quero falar com alguém
        Já falei com um atendente ontem
        Não preciso de um atendente
        Estou falando com uma pessoa?
        Você é uma pessoa?
        É um presente para alguém
        A pessoa que entregou não tocou a campainha
        Alguém pode me ligar amanhã?
        Quanto custa por pessoa?
        Prefiro não falar com ninguém
        Sou apenas humano
        """,
    ),
}
# Language → anger at us, and words that only look like it. Grief and trouble that are not our doing are none.
UPSET: Table = {
    "en": (
        """
        This is ridiculous!
        I've had enough.
        I have had it with you people
        You're useless.
        Are you stupid?
        This is a joke
        What is wrong with you?
        This is unacceptable
        I'm so angry right now
        I am really upset about this
        Worst customer service ever.
        You people are unbelievable
        Oh for God's sake
        What the hell is going on
        This is bullshit
        I'm sick of this
        I'm fed up with waiting
        You are wasting my time
        For the last time, where is my order?
        How many times do I have to tell you?
        Shut up!
        Are you kidding me?
        I'm getting really frustrated
        This is driving me crazy
        I am losing my patience
        This is outrageous, I want my money back
        Stupid machine
        You're a bloody idiot
        I'm pissed off
        Stop it, just stop talking
        This is absolutely terrible service
        Damn it
        Forget it, this is pointless
        I'm upset that my order is late again
        """,
        """
        I'm not angry
        I'm not angry, I just want to know.
        That's not bad
        I'm upset that my dog chewed the jacket
        Would it be ridiculous to order two?
        I've had enough time to think about it
        I think I have enough socks
        It's not ridiculous at all, thank you
        The colour is terrible on me, so I would like to return it
        My son is angry with me because it is late
        This is great
        Is that a joke gift or a real one?
        No problem
        It's fine, don't worry
        What is wrong with my order?
        I'm sick, I have a cold
        I'm in hell of a hurry, sorry, can we be quick?
        Sorry, I was frustrated earlier
        I'm wasting paper printing this
        It's the worst, no wait, the best jacket I own
        Could you stop the delivery?
        Forget the second one, just the jacket
        I'm crazy about that jacket
        How many times was it delivered?
        The stupid zip broke
        Do you sell Angry Birds shirts?
        I hope you're not upset
        """,
    ),
    "de": (
        """
        Das ist doch lächerlich!
        Mir reicht's jetzt
        Das ist eine Frechheit
        Ich habe die Nase voll
        Sind Sie blöd oder was?
        Das ist unverschämt
        Ich bin stinksauer
        Verdammt noch mal
        So eine Scheiße
        Wollen Sie mich verarschen?
        Das darf doch nicht wahr sein
        Ich werde langsam wütend
        """,
        """
        Ich bin nicht wütend
        Das ist gar nicht schlecht
        Das ist nicht schlimm
        Das reicht mir, danke
        Mein Mann ist sauer auf mich
        Eine Jacke reicht
        Kein Problem
        Die Milch ist sauer
        Ich habe eine verstopfte Nase
        Das Paket ist voll
        """,
    ),
    "es": (
        """
        ¡Esto es ridículo!
        Ya estoy harto
        Estoy harta de esperar
        Qué vergüenza de servicio
        Es usted un inútil
        Esto es una tomadura de pelo
        Estoy muy enojado
        Esto es inaceptable
        No sirve para nada
        ¡Qué mierda!
        Me está haciendo perder el tiempo
        """,
        """
        No estoy enojado
        No está mal
        No hay problema
        Mi hijo está enojado conmigo
        Me da vergüenza preguntar
        El cierre no cierra
        Tengo tiempo que perder, no se preocupe
        Es un regalo de broma
        Con eso basta, gracias
        No es ridículo
        """,
    ),
    "fr": (
        """
        C'est ridicule !
        J'en ai marre
        J'en ai assez
        C'est n'importe quoi
        Vous vous moquez de moi ?
        C'est inadmissible
        Je suis très en colère
        Vous êtes nul
        Putain, ça ne marche pas
        Vous me faites perdre mon temps
        J'en ai ras le bol
        C'est honteux
        """,
        """
        Je ne suis pas en colère
        Ce n'est pas mal
        Pas de problème
        Ce n'est pas grave
        J'en ai assez pris, deux suffisent
        Mon mari est en colère contre moi
        Le solde est nul, c'est bien ça ?
        C'est pas ridicule du tout
        Je n'ai pas de temps à perdre aujourd'hui, je suis pressé
        N'importe quelle couleur me va
        """,
    ),
    "it": (
        """
        È ridicolo!
        Ne ho abbastanza
        Sono stufo di aspettare
        È una vergogna
        Mi sta prendendo in giro?
        È inaccettabile
        Sono arrabbiato
        Non serve a niente
        Lei è un incapace
        Basta, non ne posso più
        Che schifo di servizio
        """,
        """
        Non sono arrabbiato
        Non è male
        Nessun problema
        Basta così, grazie
        Mia moglie è arrabbiata con me
        Ne ho due, bastano
        Mi vergogno un po' a chiedere
        Vorrei fare un giro nel negozio
        Non è ridicolo
        Ne ho abbastanza di magliette, vorrei una giacca
        """,
    ),
    "pt": (
        """
        Isso é ridículo!
        Já chega, estou farto
        Estou de saco cheio
        Isso é um absurdo
        Que palhaçada
        Você está de brincadeira comigo?
        Estou muito irritado
        Isso é inaceitável
        Você é um inútil
        Que merda de atendimento
        Não aguento mais
        """,
        """
        Não estou irritado
        Não é ruim
        Sem problema
        Quando chega o pedido?
        Meu marido está bravo comigo
        O saco veio cheio
        É uma brincadeira de criança
        Já chega, obrigado, só isso
        Não é nada absurdo
        Tenho vergonha de perguntar
        """,
    ),
}
# Language → the agent took the caller wrongly, and words that only sound so.
MISUNDERSTOOD: Table = {
    "en": (
        """
        That's not what I said.
        No, I said four seven one nine two
        You don't understand me
        What? No, the other order!
        You misunderstood me
        That's not what I asked
        That is not what I meant
        No no no, I meant the blue one
        I didn't say that
        You're not listening to me
        You got that wrong
        I never said cancel
        That wasn't my question
        No, not that one, the other one
        No, that's the wrong order
        You are not understanding me
        I already told you that
        Wrong number, I said nine, not five
        I didn't ask for that
        You heard me wrong
        You keep getting it wrong
        No, that's not my order number
        That's not right, it's Ada, A D A
        I just told you my order number
        You're not answering my question
        """,
        """
        That's what I said, yes
        I don't understand
        Sorry, I didn't understand you
        They sent the wrong order
        The wrong size arrived
        I said it to my wife
        No, that's all, thank you
        No, thanks
        Could you repeat that?
        What did you say?
        You understood me correctly
        I meant to call yesterday
        Is there another order?
        I'd like the other one as well
        No problem
        The driver didn't listen to me
        He told me it would come on Monday
        You already told me that, thank you
        Not really
        I said yes
        That's right
        What's wrong with my order?
        Did you understand me?
        It's not what I ordered
        There is something wrong with the zip
        My other order is fine
        """,
    ),
    "de": (
        """
        Das habe ich nicht gesagt
        Nein, ich habe vier sieben gesagt
        Sie verstehen mich nicht
        Sie haben mich falsch verstanden
        Das meinte ich nicht
        Nein, die andere Bestellung
        Danach habe ich nicht gefragt
        Sie hören mir nicht zu
        Das habe ich Ihnen doch schon gesagt
        Nein, ich meinte die blaue Jacke
        """,
        """
        Ich verstehe nicht
        Ich habe Sie nicht verstanden
        Das habe ich gesagt, genau
        Ich habe die falsche Größe bekommen
        Nein, danke
        Sie haben mich richtig verstanden
        Das ist nicht das, was ich bestellt habe
        Haben Sie mich verstanden?
        Was haben Sie gesagt?
        Kann ich die andere Bestellung auch stornieren?
        """,
    ),
    "es": (
        """
        Eso no es lo que dije
        No, dije cuatro siete
        No me entiende
        Me ha entendido mal
        No me refería a eso
        No, el otro pedido
        Yo no dije eso
        No me está escuchando
        Ya se lo dije
        Eso no es lo que pregunté
        """,
        """
        No entiendo
        No le he entendido
        Eso es lo que dije
        Me llegó la talla equivocada
        No, gracias
        Me ha entendido bien
        ¿Qué dijo?
        ¿Me entiende?
        También quiero el otro pedido
        No es lo que pedí, llegó otra chaqueta
        """,
    ),
    "fr": (
        """
        Ce n'est pas ce que j'ai dit
        Non, j'ai dit quatre sept
        Vous ne me comprenez pas
        Vous m'avez mal compris
        Ce n'est pas ce que je voulais dire
        Non, l'autre commande
        Je n'ai pas dit ça
        Vous ne m'écoutez pas
        Je vous l'ai déjà dit
        C'est pas ma question
        """,
        """
        Je ne comprends pas
        Je ne vous ai pas compris
        C'est ce que j'ai dit
        J'ai reçu la mauvaise taille
        Non merci
        Vous m'avez bien compris
        Qu'est-ce que vous avez dit ?
        Vous me comprenez ?
        Je veux aussi l'autre commande
        Ce n'est pas ce que j'ai commandé
        """,
    ),
    "it": (
        """
        Non è quello che ho detto
        No, ho detto quattro sette
        Non mi capisce
        Ha capito male
        Non intendevo questo
        No, l'altro ordine
        Non ho detto questo
        Non mi sta ascoltando
        Gliel'ho già detto
        Non è quello che ho chiesto
        """,
        """
        Non capisco
        Non ho capito
        È quello che ho detto
        Mi è arrivata la taglia sbagliata
        No grazie
        Ha capito bene
        Che cosa ha detto?
        Mi capisce?
        Vorrei anche l'altro ordine
        Non è quello che ho ordinato
        """,
    ),
    "pt": (
        """
        Não foi isso que eu disse
        Não, eu disse quatro sete
        Você não me entende
        Você entendeu errado
        Não era isso que eu queria dizer
        Não, o outro pedido
        Eu não disse isso
        Você não está me ouvindo
        Eu já te disse isso
        Não foi isso que eu perguntei
        """,
        """
        Não entendi
        Eu não entendo
        Foi isso que eu disse
        Veio o tamanho errado
        Não, obrigado
        Você entendeu certo
        O que você disse?
        Você me entende?
        Quero também o outro pedido
        Não foi isso que eu comprei
        """,
    ),
}
# Answers to "Would you like me to put you through to a person?", and what is none or the other one.
AGREES: Table = {
    "en": (
        """
        Yes.
        Yes, please.
        yeah
        Yep, go ahead.
        Sure.
        Okay
        OK then, thank you
        That would be great
        Please do.
        Yes, I would.
        I'd like that
        All right, do that
        Sure, why not
        Absolutely
        Of course
        Uh-huh
        Mm-hmm, yes
        Yes, put me through
        Put me through, please
        Well, yes, I think so
        Yes, that would be better.
        Please.
        Sure, no problem
        Fine
        Yes, yes, yes
        Um, okay, yeah, please
        Yes, a person please
        I would, thank you
        Definitely
        Sounds good
        Yes I want to speak to someone
        I guess so
        """,
        """
        No.
        No thanks
        Not yet
        I'm not sure
        Yes, I already spoke to a person
        Yes, but first tell me where my order is
        Yesterday I called you
        Okay, but not now
        Sure you can't help me?
        What do you mean?
        Maybe later
        I'm fine
        It's okay, I'm good
        That's okay, no need
        Okay so where is my order?
        What does a person do better?
        Are you sure?
        My order is fine
        Please tell me where my order is
        Right, my number is four seven one nine two
        Yes or no, where is it?
        I don't think so
        Please don't
        Why?
        I'd rather not
        No, thank you, that's fine
        Thank you
        The jacket looks good
        Yes, I can hear you
        Okay, let's try again
        """,
    ),
    "de": (
        """
        Ja.
        Ja, bitte
        Gerne
        Okay
        Das wäre nett
        Ja, machen Sie das
        Ja, gern, danke
        Von mir aus
        Natürlich
        Ja, verbinden Sie mich
        Klar, bitte
        Ich bitte darum
        Mhm, ja
        """,
        """
        Nein
        Nein, danke
        Noch nicht
        Ja, aber erst will ich wissen, wo mein Paket ist
        Ja, ich habe schon mit jemandem gesprochen
        Ich weiß nicht
        Lieber nicht
        Warum?
        Bitte sagen Sie mir, wo mein Paket ist
        Alles klar, und wo ist mein Paket?
        Danke
        """,
    ),
    "es": (
        """
        Sí.
        Sí, por favor
        Claro
        Está bien
        De acuerdo
        Bueno, sí
        Me gustaría, gracias
        Por favor
        Vale
        Sí, páseme con alguien
        Claro que sí
        Adelante
        """,
        """
        No
        No, gracias
        Todavía no
        Sí, pero primero dígame dónde está
        Sí, ya hablé con una persona
        No sé
        No está bien
        ¿Por qué?
        Si me dice dónde está, espero
        Por favor, dígame dónde está mi pedido
        Gracias
        """,
    ),
    "fr": (
        """
        Oui.
        Oui, s'il vous plaît
        D'accord
        Je veux bien
        Bien sûr
        Volontiers
        Oui, merci
        Avec plaisir
        Ouais, allez-y
        Oui, passez-moi quelqu'un
        Pourquoi pas
        S'il vous plaît
        """,
        """
        Non
        Non merci
        Pas encore
        Oui, mais dites-moi d'abord où est ma commande
        Oui, j'ai déjà parlé à quelqu'un
        Je ne sais pas
        Pourquoi ?
        Pas d'accord
        Bien sûr que non
        S'il vous plaît, où est ma commande ?
        Merci
        """,
    ),
    "it": (
        """
        Sì.
        Sì, per favore
        Certo
        Va bene
        D'accordo
        Volentieri
        Sì, grazie
        Mi farebbe piacere
        Sì, mi passi qualcuno
        Magari, sì
        Ok, perfetto
        Certo che sì
        """,
        """
        No
        No, grazie
        Non ancora
        Sì, ma prima mi dica dov'è il mio ordine
        Sì, ho già parlato con una persona
        Non lo so
        Non va bene
        Perché?
        Certo che no
        Per favore, mi dica dov'è
        Grazie
        """,
    ),
    "pt": (
        """
        Sim.
        Sim, por favor
        Claro
        Está bem
        Pode ser
        Quero sim
        Tudo bem, obrigado
        Com certeza
        Pode transferir
        Isso, por favor
        Tá bom
        Sim, quero falar com alguém
        """,
        """
        Não
        Não, obrigado
        Ainda não
        Sim, mas primeiro me diga onde está
        Sim, já falei com uma pessoa
        Não sei
        Claro que não
        Por quê?
        Não está bem
        Por favor, onde está o meu pedido?
        Obrigado
        """,
    ),
}
DECLINES: Table = {
    "en": (
        """
        No.
        No, thanks
        no thank you
        Nope
        Not yet
        Not now, please
        No need
        I'd rather not
        No, I don't need a person
        That's okay, no need
        I'm fine, thanks
        It's okay, I'm good
        Maybe later
        Not right now
        No, just tell me where my order is
        No, that's all right
        Please don't
        I don't think so
        Never mind
        No no, let's try again
        No, I can do it with you
        Don't bother
        That won't be necessary
        I don't want a person
        Nah
        Okay, but not now
        """,
        """
        Yes
        Yes, please
        No problem
        No problem, put me through
        Why not
        Not bad
        I'm not sure
        No, I want a person
        No wonder it is late
        No idea
        I don't know
        Know what, yes
        Yes, I never got it
        Sure
        Nobody came
        What do you mean?
        Not only that, it was broken too
        Can you say that again?
        No doubt, yes please
        The number is four seven one nine two
        Where is my order?
        No, you are useless, get me a human
        I have no order number
        Noah is my name
        """,
    ),
    "de": (
        """
        Nein.
        Nein, danke
        Noch nicht
        Lieber nicht
        Nicht nötig
        Nee, lassen Sie mal
        Jetzt nicht
        Das brauche ich nicht
        Nein, sagen Sie mir einfach, wo mein Paket ist
        Ne, danke
        Vielleicht später
        """,
        """
        Ja
        Ja, bitte
        Kein Problem
        Warum nicht
        Ich weiß nicht
        Nein, ich will mit einem Menschen sprechen
        Nicht schlecht
        Ich bin nicht sicher
        Niemand war da
        Keine Ahnung
        """,
    ),
    "es": (
        """
        No.
        No, gracias
        Todavía no
        Ahora no
        No hace falta
        No es necesario
        Mejor no
        No, dígame dónde está mi pedido
        Quizás más tarde
        Aún no
        """,
        """
        Sí
        Sí, por favor
        No hay problema
        ¿Por qué no?
        No sé
        No, quiero hablar con una persona
        No está mal
        No estoy seguro
        Nadie vino
        No tengo el número
        """,
    ),
    "fr": (
        """
        Non.
        Non merci
        Pas encore
        Pas maintenant
        Ce n'est pas la peine
        Pas besoin
        Non, dites-moi juste où est ma commande
        Plus tard peut-être
        Ça ira, merci
        Bien sûr que non
        """,
        """
        Oui
        Oui, s'il vous plaît
        Pas de problème
        Pourquoi pas
        Je ne sais pas
        Non, je veux parler à quelqu'un
        Pas mal
        Je ne suis pas sûr
        Personne n'est venu
        Aucune idée
        """,
    ),
    "it": (
        """
        No.
        No, grazie
        Non ancora
        Non adesso
        Non serve
        Non è necessario
        Meglio di no
        No, mi dica dov'è il mio ordine
        Magari più tardi
        Certo che no
        """,
        """
        Sì
        Sì, per favore
        Nessun problema
        Perché no
        Non lo so
        No, voglio parlare con una persona
        Non male
        Non sono sicuro
        Non è venuto nessuno
        Non ho il numero
        """,
    ),
    "pt": (
        """
        Não.
        Não, obrigado
        Ainda não
        Agora não
        Não precisa
        Não é necessário
        Melhor não
        Não, me diga onde está o meu pedido
        Talvez mais tarde
        Claro que não
        """,
        """
        Sim
        Sim, por favor
        Não tem problema
        Por que não?
        Não sei
        Não, quero falar com uma pessoa
        Nada mal
        Não tenho certeza
        Ninguém veio
        Não tenho o número
        """,
    ),
}

TABLES: dict[str, tuple[Wish, Table]] = {
    "person": (asks_for_a_person, PERSON),
    "upset": (is_upset, UPSET),
    "misunderstood": (was_misunderstood, MISUNDERSTOOD),
    "agrees": (agrees, AGREES),
    "declines": (declines, DECLINES),
}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def utterances() -> Iterator[str]:
    for _, table in TABLES.values():
        for said, not_said in table.values():
            yield from lines(said) + lines(not_said)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_callers_say_is_taken_as_they_mean_it(name: str, language: str) -> None:
    wish, table = TABLES[name]
    meant, not_meant = map(lines, table[language])
    missed = [words for words in meant if not wish(words)]
    wrong = [words for words in not_meant if wish(words)]
    found = len(meant) - len(missed)
    print(
        f"{name} {language}: precision {found / (found + len(wrong) or 1):.2f}, recall {found / len(meant):.2f} "
        f"of {len(meant)} that mean it and {len(not_meant)} that do not"
    )
    assert (missed, wrong) == ([], [])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_long_enough_to_tell(name: str) -> None:
    table = TABLES[name][1]
    assert set(table) == set(LANGUAGES)
    for language, sides in table.items():
        for side in map(lines, sides):
            assert len(set(side)) == len(side) >= (12 if language == "en" else 5), language


PLAIN = str.maketrans("àáâãäçèéêëìíîïñòóôõöùúûü", "aaaaaceeeeiiiinooooouuuu")


@pytest.mark.parametrize("name", TABLES)
def test_it_does_not_matter_how_it_is_written_down(name: str) -> None:
    """Loud, with curly apostrophes, without accents, without a full stop: the words are the same."""
    wish, table = TABLES[name]
    for sides in table.values():
        for words, expected in ((words, side == 0) for side in (0, 1) for words in lines(sides[side])):
            for written in (words.upper(), words.replace("'", "’"), words.lower().translate(PLAIN), words.rstrip(".!?"), f"  {words} \n"):
                assert wish(written) is expected, written


def test_nobody_agrees_and_declines_at_once() -> None:
    assert [words for words in utterances() if agrees(words) and declines(words)] == []


@pytest.mark.parametrize("words", ["", " ", "…", "?!", "4 7 1 9 2", "ada@example.com"])
def test_where_nothing_is_said_nothing_is_wished(words: str) -> None:
    assert not any(wish(words) for wish, _ in TABLES.values())


@pytest.mark.parametrize("name", TABLES)
def test_a_long_monologue_is_read_in_no_time_to_speak_of(name: str) -> None:
    """Patterns that backtrack would take minutes here, and the call would stand still; the whole test has two."""
    wish, _ = TABLES[name]
    for words in ("no " * 3000, "please yes " * 3000, "i am so very really " * 1500, "do you not want to speak to a a " * 1000):
        wish(words)
